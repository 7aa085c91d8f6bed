"""What one device asks of strangers and says to them; queue and network are fakes."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.protocol import contents
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.message_requests import NO_REQUEST, MessageRequests
from sessionsim.protocol.client.outbox import Signal
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.client.signals import PLATFORMS
from sessionsim.protocol.contents import Message, RequestResponse, Text, write
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.machine import LOG, Effect
from sessionsim.protocol.versions.v1 import Profile

OWN, STRANGER, OTHER = (account_from_seed(bytes([i]) * 16) for i in (1, 2, 3))
TTL_US = 14 * 86_400_000_000


class Device:
    """A client as far as requests need it: it notes what is sent, and what its contacts are told."""

    def __init__(self, platform: str = "desktop", approvals: Approvals | None = None) -> None:
        self.account, self.readers, self.writing = OWN, list[Any](), list[Any]()
        self.rules: Any = self
        self.inbox: Any = self
        self.drops: Any = None
        self.outbox, self.message_ttl_us, self.profile = self, TTL_US, Profile("Ann", "", b"", 7)
        self.sent: list[tuple[int, bytes, Signal]] = []
        self.approvals = approvals or Approvals()
        self.approvals.changed, self.approvals.refused = self.changed, self.refused
        self.no: list[tuple[int, bytes, bool]] = []
        self.noted: list[tuple[bytes, bool, bool]] = []
        self.part = MessageRequests(self, PLATFORMS[platform], self.approvals)  # type: ignore[arg-type]

    def send(self, ref: int, recipient_id: bytes, signal: Signal, now_us: int) -> list[Effect]:
        self.sent.append((ref, recipient_id, signal))
        return []

    def changed(self, other_id: bytes, now_us: int) -> list[Effect]:
        self.noted.append((other_id, self.approvals.has_given(other_id), self.approvals.has_got(other_id)))
        return []

    def refused(self, ref: int, other_id: bytes, blocks: bool, now_us: int) -> list[Effect]:
        self.no.append((ref, other_id, blocks))
        return []

    def refuse(self, other_id: bytes, blocks: bool) -> list[Effect]:
        return self.part.commands["refuse-request"](6, other_id, blocks, 5)

    def write(self, other_id: bytes) -> None:
        for told in self.writing:
            told(other_id, 5)

    def read(self, sender_id: bytes, text: Text, group_id: bytes = b"") -> None:
        for reader in self.readers:
            reader("H", Opened(sender_id, write(Message(9, text)), group_id), 5)

    def accept(self, other_id: bytes) -> list[Effect]:
        return self.part.commands["accept-request"](4, other_id, 5)


def test_whoever_is_written_to_is_accepted_once() -> None:
    device = Device()
    device.write(STRANGER.id)
    device.write(STRANGER.id)
    device.write(OWN.id)
    assert device.noted == [(STRANGER.id, True, False)]
    assert not device.sent


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_a_request_is_accepted_by_a_signal_that_waits_its_turn_like_a_text(platform: str) -> None:
    device = Device(platform)
    device.read(STRANGER.id, Text("hello?"))
    assert device.noted == [(STRANGER.id, False, True)]
    assert device.accept(STRANGER.id) == []
    assert device.noted[1:] == [(STRANGER.id, True, True)]
    ((ref, to, signal),) = device.sent
    assert (ref, to, signal.ttl_us, signal.queued) == (4, STRANGER.id, TTL_US, True)
    assert signal.copied is (platform == "android")
    shown = None if platform == "android" else device.profile
    assert signal.part(9, b"") == RequestResponse(True, shown)


def test_what_is_no_open_request_is_not_accepted() -> None:
    for device in (Device(), Device(approvals=Approvals(given={STRANGER.id}, got={STRANGER.id}))):
        assert device.accept(STRANGER.id) == [(LOG, "failed", 4, NO_REQUEST)]
        assert not device.sent


def test_texts_in_groups_are_no_requests() -> None:
    device = Device()
    device.read(STRANGER.id, Text("hello, all"), group_id=b"\3" * 33)
    assert not device.noted


def test_what_another_own_device_wrote_accepts_too() -> None:
    device = Device()
    device.read(OWN.id, Text("hello?", sync_target=STRANGER.id))
    device.read(OWN.id, Text("a note"))
    assert device.noted == [(STRANGER.id, True, False)]


def test_what_another_device_has_written_down_holds_here_and_is_not_written_again() -> None:
    device = Device()
    device.approvals.follow(STRANGER.id, given=False, got=True)
    device.approvals.follow(OTHER.id, given=True, got=False)
    device.write(OTHER.id)
    assert not device.noted
    assert device.accept(STRANGER.id) == []
    assert contents.copied_to_self("android", RequestResponse(True))


def test_a_declined_request_is_gone_and_the_next_text_is_one_again() -> None:
    device = Device()
    device.read(STRANGER.id, Text("hello?"))
    assert device.refuse(STRANGER.id, False) == []
    assert device.no == [(6, STRANGER.id, False)]
    assert not device.sent
    assert not device.drops(STRANGER.id)
    assert device.accept(STRANGER.id) == [(LOG, "failed", 4, NO_REQUEST)]
    device.read(STRANGER.id, Text("hello!"))
    assert device.noted == [(STRANGER.id, False, True)] * 2
    assert device.accept(STRANGER.id) == []


def test_what_somebody_writes_who_is_blocked_is_dropped() -> None:
    device = Device()
    device.read(STRANGER.id, Text("hello?"))
    assert device.refuse(STRANGER.id, True) == []
    assert device.no == [(6, STRANGER.id, True)]
    assert device.drops(STRANGER.id)
    assert not device.drops(OTHER.id)
    assert not device.sent


def test_only_an_open_request_can_be_refused() -> None:
    known = Approvals(given={STRANGER.id}, got={STRANGER.id})
    for device in (Device(), Device(approvals=known)):
        assert device.refuse(STRANGER.id, True) == [(LOG, "failed", 6, NO_REQUEST)]
        assert not device.no
        assert not device.drops(STRANGER.id)


def test_what_another_device_has_refused_holds_here() -> None:
    device = Device()
    device.read(STRANGER.id, Text("hello?"))
    device.read(OTHER.id, Text("hello?"))
    device.approvals.follow(STRANGER.id, given=False, got=False, blocked=True)
    device.approvals.forget(OTHER.id)
    assert device.drops(STRANGER.id)
    for other_id in (STRANGER.id, OTHER.id):
        assert device.accept(other_id) == [(LOG, "failed", 4, NO_REQUEST)]
