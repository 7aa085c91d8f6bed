"""A push platform: devices register, pushes reach them over their own connection, and wait for those away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.machine import BACK, SEND, Effects
from sessionsim.protocol.push.notifiers import Push
from sessionsim.protocol.servers.platform import (
    DELIVERY,
    MAX_BYTES,
    REGISTER,
    PushPlatform,
    read_post,
    write_push,
)

HTTPS, TLS = int(Transport.HTTPS), int(Transport.TLS)
TOKEN = b"t" * 64
DEVICE, SERVER = 40, 50


def post(platform: PushPlatform, body: bytes, exchange: int = 1, token: bytes = TOKEN) -> Effects:
    payload = write_push(Push("firebase", token.decode(), body))
    return platform.receive(SERVER, HTTPS, exchange, "push", payload, 0)


def registered(kept: int = 100) -> PushPlatform:
    platform = PushPlatform(kept)
    assert list(platform.receive(DEVICE, TLS, 9, REGISTER, TOKEN, 0)) == []
    return platform


def test_a_push_goes_over_the_connection_that_the_device_opened() -> None:
    assert list(post(registered(), b"one")) == [
        (SEND, SERVER, HTTPS, 1, 200, b"", 0),
        (SEND, DEVICE, TLS | BACK, 1, DELIVERY, b"one", 0),
    ]


def test_a_token_that_nobody_registered_is_gone() -> None:
    assert list(post(registered(), b"one", token=b"u" * 64)) == [(SEND, SERVER, HTTPS, 1, 410, b"", 0)]


def test_what_is_confirmed_does_not_come_again() -> None:
    platform = registered()
    post(platform, b"one")
    post(platform, b"two")
    assert list(platform.receive(DEVICE, TLS | BACK, 1, 200, b"", 0)) == []
    (again,) = platform.receive(DEVICE, TLS, 9, REGISTER, TOKEN, 5)
    assert again[5] == b"two"


def test_only_the_device_itself_confirms() -> None:
    platform = registered()
    post(platform, b"one")
    platform.receive(DEVICE + 1, TLS | BACK, 1, 200, b"", 0)
    platform.receive(DEVICE, TLS | BACK, 77, 200, b"", 0)
    assert len(list(platform.receive(DEVICE, TLS, 9, REGISTER, TOKEN, 5))) == 1


def test_a_device_that_is_away_gets_the_newest_when_it_is_back_perhaps_elsewhere() -> None:
    platform = registered(kept=2)
    post(platform, b"one")
    platform.failed(DEVICE, TLS | BACK, 1, "unreachable", 0)
    for body in (b"two", b"three"):
        assert [effect[1] for effect in post(platform, body)] == [SERVER]
    effects = list(platform.receive(DEVICE + 7, TLS, 9, REGISTER, TOKEN, 5))
    assert [(effect[1], effect[5]) for effect in effects] == [(DEVICE + 7, b"two"), (DEVICE + 7, b"three")]
    # A late failure of the old connection changes nothing.
    platform.failed(DEVICE, TLS | BACK, effects[0][3], "unreachable", 6)
    assert [effect[1] for effect in post(platform, b"four")] == [SERVER, DEVICE + 7]


def test_apple_keeps_one() -> None:
    platform = registered(kept=1)
    platform.failed(DEVICE, TLS | BACK, 1, "unreachable", 0)
    for body in (b"one", b"two"):
        post(platform, body)
    assert [effect[5] for effect in platform.receive(DEVICE, TLS, 9, REGISTER, TOKEN, 5)] == [b"two"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"/3/device/short\n{}",
        b"/4/device/" + TOKEN + b"\n{}",
        b"/3/device/" + b"t" * 1000 + b"\n{}",
        b"/3/device/" + TOKEN + b"\n" + bytes(MAX_BYTES + 1),
        b"/3/device/" + b"\xff" * 64 + b"\n{}",
    ],
)
def test_what_is_no_push_is_refused(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_post(payload)
    assert list(registered().receive(SERVER, HTTPS, 1, "push", payload, 0)) == [
        (SEND, SERVER, HTTPS, 1, 400, b"", 0)
    ]


def test_registrations_and_pushes_over_other_connections_count_for_nothing() -> None:
    platform = PushPlatform(5)
    for conn, head in ((HTTPS, REGISTER), (TLS | BACK, REGISTER), (TLS, "onion_req")):
        assert list(platform.receive(DEVICE, conn, 1, head, TOKEN, 0)) == []
    assert list(platform.receive(DEVICE, TLS, 1, REGISTER, b"short", 0)) == []
    assert platform.devices == {}
    assert list(registered().receive(SERVER, TLS, 1, "push", b"", 0)) == []
    assert platform.start(0) == platform.wake(0) == platform.command(("x",), 0) == ()


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(raw: bytes) -> None:
    platform = registered()
    platform.receive(SERVER, HTTPS, 1, "push", raw, 0)
    platform.receive(SERVER, TLS, 1, REGISTER, raw, 0)
