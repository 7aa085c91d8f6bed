"""TURN servers: who may relay, for how long, and to whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.protocol.machine import SEND
from sessionsim.protocol.servers.turn import ALLOCATE, LIFETIME_US, MEDIA, TurnServer, write_relayed

UDP = int(Transport.UDP)
CALLER, OTHER = 40, 41


def allocated(at_us: int = 0) -> TurnServer:
    server = TurnServer(100)
    (answer,) = server.receive(CALLER, UDP, 7, ALLOCATE, b"", at_us)
    assert answer[:5] == (SEND, CALLER, UDP, 7, 200)
    return server


def test_media_of_who_has_allocated_go_to_the_address_named() -> None:
    server = allocated()
    for number in (1, 2):
        assert list(server.receive(CALLER, UDP, 9, MEDIA, write_relayed(OTHER, b"voice"), 5)) == [
            (SEND, OTHER, UDP, number, MEDIA, b"voice", 0)
        ]


def test_an_allocation_ends_unless_it_is_used() -> None:
    media = write_relayed(OTHER, b"voice")
    assert list(allocated().receive(CALLER, UDP, 9, MEDIA, media, LIFETIME_US + 1)) == []
    server = allocated()
    assert len(list(server.receive(CALLER, UDP, 9, MEDIA, media, LIFETIME_US))) == 1
    assert len(list(server.receive(CALLER, UDP, 9, MEDIA, media, 2 * LIFETIME_US))) == 1


@pytest.mark.parametrize("dst", [CALLER, 100, 1 << 31])
def test_nothing_goes_back_to_the_sender_or_to_no_address(dst: int) -> None:
    assert list(allocated().receive(CALLER, UDP, 9, MEDIA, write_relayed(dst, b"x"), 5)) == []


def test_strangers_and_other_links_relay_nothing() -> None:
    server = allocated()
    media = write_relayed(OTHER, b"voice")
    assert list(server.receive(OTHER, UDP, 9, MEDIA, media, 5)) == []
    assert list(server.receive(CALLER, int(Transport.HTTPS), 9, MEDIA, media, 5)) == []
    for head in (200, "onion_req"):
        assert list(server.receive(CALLER, UDP, 9, head, media, 5)) == []
    assert server.start(0) == server.wake(0) == server.command(("x",), 0) == ()
    assert server.failed(OTHER, UDP, 9, "unreachable", 0) == ()


@given(st.binary(max_size=40))
def test_any_bytes_are_taken(raw: bytes) -> None:
    effects = list(allocated().receive(CALLER, UDP, 9, MEDIA, raw, 5))
    assert all(0 <= effect[1] < 100 for effect in effects)
