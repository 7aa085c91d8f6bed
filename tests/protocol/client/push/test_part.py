"""Fast mode on a device: what it sends out, when again, and what it makes of pushes."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_H, US_PER_S
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.parts import Returning
from sessionsim.protocol.client.push import PLATFORMS, PushListener, PushListenerRules
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.machine import BACK, CLOSE, EVENT, SEND, Effect
from sessionsim.protocol.push.notifiers import make_push
from sessionsim.protocol.push.payload import seal_payload, write_list
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.server import PushServer
from sessionsim.protocol.servers.platform import DELIVERY, REGISTER
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.monitor import Notification
from sessionsim.protocol.wire.onion_server import ServerAddress
from sessionsim.protocol.wire.rpc import Retrieved, message_hash

SUITE, OWN = suite_named("fast"), account_from_seed(bytes(16))
SERVER = ServerAddress("push.getsession.org", bytes(32))
EPOCH_MS, PLATFORM, TLS = 1_777_377_600_000, 60, int(Transport.TLS)
TAKEN = b'[{"success":true}]'


class Device:
    """A client of which only what the part touches is there."""

    def __init__(self, platform: str, **changed: Any) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.took: list[Retrieved] = []
        self.polls = 0
        client = SimpleNamespace(
            account=OWN,
            suite=SUITE,
            entropy=Entropy(bytes(32)),
            rules=CLIENTS[platform],
            requests=SimpleNamespace(send_to_server=self._send),
            listeners={},
            takers={0: self._take},
            wire_ms=lambda now_us: EPOCH_MS + now_us // 1000,
            do=self._do,
            presence=SimpleNamespace(awake=True, fast_mode=False, errands=[], come_round=self._come_round),
        )
        self.presence = client.presence
        rules: PushListenerRules = replace(PLATFORMS[platform], **changed)
        self.part = PushListener(cast("Client", client), SERVER, PLATFORM, rules)
        assert client.listeners == {DELIVERY: self.part.receive}
        self.key = client.entropy.draw(b"push key")[:32]

    def _send(self, *request: Any) -> Effect:
        self.sent.append(request)
        return ("sent",)

    def _take(self, message: Retrieved, now_us: int) -> list[Effect]:
        self.took.append(message)
        return [("took",)]

    def _do(self, name: str, now_us: int) -> list[Effect]:
        assert name == "poll"
        self.polls += 1
        return [("poll",)]

    def _come_round(self, now_us: int, name: str) -> list[Effect]:
        return [("woken", name)]

    def push(
        self, data: bytes | None, *, account: bytes = OWN.id, namespace: int = 0, **how: Any
    ) -> list[Effect]:
        told = Notification(account, "h" * 43, namespace, 7, 9, data)
        sealed = seal_payload(write_list(told, **how), self.key, bytes(24))
        body = make_push("firebase", "t" * 64, sealed).body
        return self.part.receive(PLATFORM, TLS | BACK, 4, body, 50)


def started(platform: str = "android", **changed: Any) -> tuple[Device, int, list[Effect]]:
    device = Device(platform, **changed)
    assert device.part.start(0) == []
    due_us = device.part.next_due_us()
    assert due_us is not None
    assert device.part.wake(due_us - 1) == []
    return device, due_us, device.part.wake(due_us)


@pytest.mark.parametrize(("platform", "length"), [("android", 163), ("ios", 64)])
def test_a_device_registers_and_subscribes_soon_after_its_start(platform: str, length: int) -> None:
    device, due_us, effects = started(platform)
    assert 0 <= due_us < 5 * US_PER_S
    (kind, dst, conn, exchange, head, token, _), sent = effects
    assert (kind, dst, conn, head, sent) == (SEND, PLATFORM, TLS, REGISTER, ("sent",))
    assert token == device.part.token.encode()
    assert len(token) == length
    (request,) = device.sent
    assert request[0] != exchange
    # The real push server takes it.
    server = PushServer(PushRules(), SUITE, Entropy(bytes(32)), EPOCH_MS)
    answer = server.handle(v4.decode_request(request[2]), due_us)
    ((known, registered),) = server.devices[OWN.id].items()
    assert known.token == device.part.token
    assert registered.subscription.namespaces == ((0,) if platform == "android" else (0, 2, 3, 4, 5))
    assert request[5](answer.status, answer.body, due_us + 5) == [(EVENT, "push-subscribed", -1, 1)]
    assert device.part.next_due_us() == due_us + 5 + 12 * US_PER_H


def test_a_subscription_is_renewed_without_registering_again() -> None:
    device, _, _ = started()
    device.sent[0][5](200, TAKEN, US_PER_S)
    due_us = device.part.next_due_us()
    assert due_us == US_PER_S + 12 * US_PER_H
    assert device.part.wake(due_us) == [("sent",)]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'[{"error":4}]', b'[{"success":1}]', b"[7]"])
def test_what_is_no_success_is_tried_again_with_a_pause_that_doubles_up_to_an_hour(body: bytes) -> None:
    device, now_us, _ = started()
    pauses = []
    for status in [200, 0, 502] + [200] * 8:
        assert device.sent[-1][5](status, body, now_us) == [(EVENT, "push-subscribed", -1, 0)]
        due_us = device.part.next_due_us()
        assert due_us is not None
        pauses.append((due_us - now_us) // US_PER_S)
        now_us = due_us
        device.part.wake(now_us)
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


def test_a_pushed_message_is_read_at_once_and_confirmed() -> None:
    device, _, _ = started()
    assert device.push(b"sealed") == [
        (SEND, PLATFORM, TLS | BACK, 4, 200, b"", 0), (EVENT, "pushed", "h" * 43, 6), ("took",)
    ]  # fmt: skip
    # The push server calls a message what it likes; a device goes by the bytes.
    named = message_hash(OWN.id, 0, b"sealed")
    assert device.took == [Retrieved(named, 7, 9, b"sealed")]
    assert device.polls == 0


def test_a_push_without_message_makes_the_device_poll() -> None:
    for platform in ("android", "ios"):
        device, _, _ = started(platform)
        assert device.push(bytes(2501))[1:] == [(EVENT, "pushed", "h" * 43, -1), ("poll",)]
        assert device.push(None)[-1] == ("poll",)
    device, _, _ = started("android", polls_without_body=False)
    assert len(device.push(bytes(2501))) == 2


def test_metadata_of_the_older_form_are_read_by_ios_alone() -> None:
    for platform, told in (("ios", 3), ("android", 2)):
        device, _, _ = started(platform)
        assert len(device.push(None, dict_without_body=True)) == told
        assert device.polls == 1


def test_what_belongs_to_other_accounts_and_namespaces_is_polled_for() -> None:
    device, _, _ = started("ios")
    device.push(b"config", namespace=2)
    device.push(b"else", account=b"\x03" + bytes(32))
    assert device.took == []
    assert device.polls == 2


def test_a_device_may_take_no_bodies() -> None:
    device, _, _ = started("ios", takes_body=False)
    assert device.push(b"sealed")[-1] == ("poll",)
    assert device.took == []


def test_a_device_that_comes_back_connects_again_if_it_ever_was_connected() -> None:
    fresh = Device("android")
    assert isinstance(fresh.part, Returning)
    assert fresh.part.back(5) == []
    device, _, (registered, _) = started()
    (again,) = device.part.back(5)
    assert again[:3] == registered[:3]
    assert again[4:] == registered[4:]
    assert again[3] != registered[3]


def test_a_device_that_goes_offline_lets_its_platform_go_if_it_was_connected() -> None:
    assert Device("android").part.away(5) == []
    device, _, _ = started()
    assert device.part.away(5) == [(CLOSE, PLATFORM, TLS)]


def test_fast_mode_has_the_device_woken_for_its_subscription() -> None:
    device = Device("android")
    assert device.presence.fast_mode
    (due,) = device.presence.errands
    assert due() is None
    device.part.start(0)
    assert due() == device.part.next_due_us() is not None


def test_a_sleeping_device_reads_what_a_push_brings_and_wakes_for_what_it_does_not_bring() -> None:
    device, _, _ = started()
    device.presence.awake = False
    assert device.push(b"sealed")[-1] == ("took",)
    assert device.push(None)[-1] == ("woken", "poll")
    assert device.polls == 0


def test_only_the_platform_pushes() -> None:
    device, _, _ = started()
    assert device.part.receive(PLATFORM + 1, TLS | BACK, 4, b"{}", 50) == []


@given(st.binary(max_size=200) | st.text().map(lambda t: orjson.dumps({"enc_payload": t})))
def test_what_opens_under_no_key_of_ours_is_confirmed_and_polled_for(payload: bytes) -> None:
    device, _, _ = started()
    assert device.part.receive(PLATFORM, TLS | BACK, 4, payload, 50)[1:] == [("poll",)]
    assert device.took == []
