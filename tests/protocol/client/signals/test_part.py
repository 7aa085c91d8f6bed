"""What one client sends and does of typing, receipts, reactions, deletions, calls; the network is a fake."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.intents import CALL_STEPS
from sessionsim.core.seeds import Entropy, Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.protocol import contents
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.inbox import Inbox
from sessionsim.protocol.client.outbox import Outbox
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.client.sealing import Opened, SealingV1
from sessionsim.protocol.client.signals import PLATFORMS, SignalRules, Signals
from sessionsim.protocol.client.signals.part import NOT_ACCEPTED, NOT_APPROVED, NOT_DELETED
from sessionsim.protocol.contents import Call, CallKind, Message, Part, Text, write
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import DELIVER, EVENT, LOG, SEND, Effect, Effects
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire import rpc
from tests.protocol.client.stores import held

OWN, FRIEND, STRANGER = (account_from_seed(bytes([i]) * 16) for i in (1, 2, 3))
SWARMS = {OWN.id: (1, 2, 3, 4, 5), FRIEND.id: (11, 12, 13, 14, 15), STRANGER.id: (21, 22, 23, 24, 25)}
EPOCH_MS = 1_777_000_000_000
EVERY = pytest.mark.parametrize("platform", list(PLATFORMS))
DAY_S = 86_400


KNOWN = Approvals(given={FRIEND.id, STRANGER.id}, got={FRIEND.id})


class Asked(NamedTuple):
    exchange: int
    node: int
    body: bytes
    note: int
    done: Any

    @property
    def call(self) -> tuple[str, dict[str, Any]]:
        outer = orjson.loads(self.body)
        inner = outer if "requests" not in outer["params"] else outer["params"]["requests"][0]
        return inner["method"], inner["params"]


class Device:
    """A client as far as signals need it; it is its own swarms and requests."""

    def __init__(self, platform: str, rules: SignalRules | None = None) -> None:
        self.account: Account = OWN
        self.rules, self.suite = CLIENTS[platform], suite_named("fast")
        self.body_style = rpc.BODY_STYLES[self.rules.body_style]
        self.entropy: Entropy = Seeds(5).entropy("client")
        self.requests = self.swarms = self
        self.group_updates, self.readers = None, list[Any]()
        self.sealing: Any = SealingV1(self)  # type: ignore[arg-type]
        self.asked: list[Asked] = []
        self.inbox = Inbox(self)  # type: ignore[arg-type]
        self.outbox = Outbox(self, Profile("Ann", "", b"", 0))  # type: ignore[arg-type]
        self.signals = Signals(self, rules or PLATFORMS[platform], KNOWN)  # type: ignore[arg-type]

    def wire_ms(self, now_us: int) -> int:
        return EPOCH_MS + now_us // 1000

    def find(self, account_id: bytes, now_us: int, found: Any) -> list[Effect]:
        return found(SWARMS[account_id], now_us)  # type: ignore[no-any-return]

    def correct(self, account_id: bytes, fields: dict[str, Any]) -> None:
        raise AssertionError("nothing moves here")

    def send(self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Effect:
        self.asked.append(Asked(exchange, node, body, note, done))
        return (SEND, exchange)

    def do(self, name: str, *details: Any, now_us: int = 0) -> Effects:
        return self.signals.commands[name](*details, now_us)

    def answer(self, k: int, code: int = 200, now_us: int = 0) -> Effects:
        if "requests" not in orjson.loads(self.asked[k].body)["params"]:
            body = orjson.dumps(held(self.suite, [FRIEND.ed]))
            return self.asked[k].done(code, body, now_us)  # type: ignore[no-any-return]
        return self.asked[k].done(200, b'{"results":[{"body":{},"code":%d}]}' % code, now_us)  # type: ignore[no-any-return]

    def got(self, part: Part, sender: Account = FRIEND, sent_ms: int = 9, hash_: str = "H") -> Effects:
        opened = Opened(sender.id, write(Message(sent_ms, part)))
        return self.inbox.accept(hash_, opened, 0)

    def stored(self, k: int, reader: Account) -> tuple[Message, int]:
        """What request `k` stores, opened by its reader, and its lifetime in ms."""
        method, params = self.asked[k].call
        assert method == "store"
        sealing: Any = SealingV1(self)  # type: ignore[arg-type]
        sealing._account = reader
        opened = sealing.open(base64.b64decode(params["data"]))
        assert opened.sender_id == OWN.id
        return contents.read(opened.content), int(params["ttl"])


def logs(effects: Effects) -> list[tuple[Any, ...]]:
    return [tuple(effect[1:]) for effect in effects if effect[0] == LOG]


def hash_of(effects: Effects, what: str = "hash") -> str:
    return next(str(value) for name, _, value in logs(effects) if name == what)


SENT: list[tuple[str, tuple[Any, ...], Part, int]] = [
    ("typing", (True,), contents.Typing(True, EPOCH_MS), 20),
    ("typing", (False,), contents.Typing(False, EPOCH_MS), 20),
    ("receipt", ((5, 6),), contents.ReadReceipt((5, 6)), 14 * DAY_S),
    (
        "react",
        (FRIEND.id, 7, "😮", True),
        Text(reaction=contents.Reaction(7, FRIEND.id, "😮", True)),
        14 * DAY_S,
    ),
    ("unsend", (OWN.id, 8), contents.Unsend(8, OWN.id), 14 * DAY_S),
    ("call", ("end", 0), Call(CallKind.END_CALL, "x"), 300),
]


def same(found: Part, wanted: Part) -> bool:
    return replace(found, uuid="x") == wanted if isinstance(found, Call) else found == wanted


@EVERY
@pytest.mark.parametrize(("name", "details", "part", "ttl_s"), SENT)
def test_a_signal_is_stored_for_its_reader_with_its_lifetime_and_copied_as_the_platform_does(
    platform: str, name: str, details: tuple[Any, ...], part: Part, ttl_s: int
) -> None:
    device = Device(platform)
    begun = device.do(name, 7, FRIEND.id, *details)
    message, ttl_ms = device.stored(0, FRIEND)
    assert message.sent_ms == EPOCH_MS
    assert same(message.part, part)
    assert ttl_ms == ttl_s * 1000
    assert device.asked[0].node in SWARMS[FRIEND.id]
    assert device.asked[0].note == note_of(Cause.SIGNAL, 7)
    assert device.asked[0].exchange & 15 == Purpose.SIGNAL
    assert [log[:2] for log in logs(begun)] == [("hash", 7), ("written", 7), ("attempts", 7)]
    assert logs(begun)[1][2] == (EPOCH_MS, EPOCH_MS + ttl_s * 1000)
    done = device.answer(0, now_us=500)
    assert logs(done)[0] == ("stored", 7, 500)
    copied = contents.copied_to_self(platform, message.part)
    assert ("sync_hash" in [log[0] for log in logs(done)]) is copied
    assert len(device.asked) == 1 + copied
    if copied:
        copy, copy_ttl_ms = device.stored(1, OWN)
        assert device.asked[1].node in SWARMS[OWN.id]
        assert copy_ttl_ms == ttl_ms
        assert copy.sent_ms == message.sent_ms
        target = FRIEND.id if isinstance(part, Text) else b""
        assert getattr(copy.part, "sync_target", b"") == target
        assert logs(device.answer(1, now_us=900)) == [("sync_stored", 7, 900)]


def test_the_platforms_copy_what_is_known_of_them() -> None:
    parts: dict[str, Part] = {
        "typing": contents.Typing(True, 1),
        "receipt": contents.ReadReceipt((1,)),
        "reaction": Text(reaction=contents.Reaction(1, OWN.id, "x")),
        "deletion": contents.Unsend(1, OWN.id),
        "response": contents.RequestResponse(True),
        "answer": Call(CallKind.ANSWER, "x", ("s",)),
        "end": Call(CallKind.END_CALL, "x"),
        "pre-offer": Call(CallKind.PRE_OFFER, "x"),
        "offer": Call(CallKind.OFFER, "x", ("s",)),
    }
    for platform, rules in PLATFORMS.items():
        for name, part in parts.items():
            is_call = isinstance(part, Call) and "call" in rules.copied
            assert contents.copied_to_self(platform, part) is (name in rules.copied or is_call), (
                platform,
                name,
            )


def test_typing_is_shown_to_contacts_who_approved_and_to_nobody_else() -> None:
    device = Device("ios")
    assert device.do("typing", 3, STRANGER.id, True) == [(LOG, "failed", 3, NOT_APPROVED)]
    assert device.asked == []
    open_to_all = Device("ios", replace(PLATFORMS["ios"], typing_to="everybody"))
    assert logs(open_to_all.do("typing", 3, STRANGER.id, True))[0][0] == "hash"


def test_signals_wait_behind_what_was_sent_before_and_calls_do_not() -> None:
    device = Device("desktop")
    device.outbox.accept(0, FRIEND.id, "hello", 0)
    assert device.do("receipt", 1, FRIEND.id, (5,)) == []
    assert logs(device.do("call", 2, FRIEND.id, "pre-offer", 0))[0][:2] == ("hash", 2)
    assert list(device.outbox.pending()) == [2, 0, 1]
    assert [log[:2] for log in logs(device.answer(0))][-3:] == [("hash", 1), ("written", 1), ("attempts", 1)]
    assert list(device.outbox.pending()) == [2, 1]
    device.answer(1)
    assert list(device.outbox.pending()) == [1]


def test_texts_draw_the_same_whether_signals_go_beside_them_or_not() -> None:
    alone, beside = Device("desktop"), Device("desktop")
    beside.do("call", 9, FRIEND.id, "pre-offer", 0)
    first = logs(alone.outbox.accept(0, FRIEND.id, "hello", 0))
    assert logs(beside.outbox.accept(0, FRIEND.id, "hello", 0)) == first
    assert beside.asked[1].exchange == alone.asked[0].exchange


@EVERY
def test_who_deletes_a_message_deletes_the_own_copy_in_the_order_of_the_platform(platform: str) -> None:
    device = Device(platform)
    begun = device.outbox.accept(0, FRIEND.id, "oops", 5 * US_PER_S)
    copy = hash_of(device.answer(0), "sync_hash")
    device.answer(1)
    effects = device.do("unsend", 1, FRIEND.id, OWN.id, EPOCH_MS + 5000)
    methods = [asked.call[0] for asked in device.asked[2:]]
    deletion = next(k for k, asked in enumerate(device.asked) if asked.call[0] == "delete")
    assert device.asked[deletion].call[1]["messages"] == [copy]
    assert device.asked[deletion].node in SWARMS[OWN.id]
    assert device.asked[deletion].note == note_of(Cause.SIGNAL)
    if platform == "desktop":
        assert methods == ["delete"]
        assert logs(effects) == []
        assert list(device.signals.pending()) == [1]
        effects = device.answer(deletion)
        assert list(device.signals.pending()) == []
    else:
        assert methods == ["store", "delete"]
        assert device.answer(deletion) == []
    assert [log[:2] for log in logs(effects)] == [("hash", 1), ("written", 1), ("attempts", 1)]
    assert hash_of(begun) not in str(device.asked[2:])  # the other person's swarm is not ours to delete in


def test_a_desktop_that_cannot_delete_the_own_copy_asks_nobody_else() -> None:
    device = Device("desktop")
    device.outbox.accept(0, FRIEND.id, "oops", 0)
    device.answer(0)
    device.do("unsend", 1, FRIEND.id, OWN.id, EPOCH_MS)
    effects: Effects = ()
    for _ in range(device.rules.send_attempts):
        effects = [*effects, *device.answer(len(device.asked) - 1, 500)]
        due = device.signals.next_due_us()
        device.signals.wake(due or 0)
    assert logs(effects) == [("failed", 1, NOT_DELETED)]
    assert list(device.signals.pending()) == []


@pytest.mark.parametrize("rule", ["first", "never"])
def test_without_an_own_copy_or_by_rule_only_the_other_person_is_asked(rule: str) -> None:
    device = Device("desktop", replace(PLATFORMS["desktop"], own_copy_deleted=rule))
    if rule == "never":
        device.outbox.accept(0, FRIEND.id, "oops", 0)
        device.answer(0)
    before = len(device.asked)
    device.do("unsend", 1, FRIEND.id, OWN.id, EPOCH_MS)
    assert [asked.call[0] for asked in device.asked[before:]] == ["store"]


def test_a_deletion_by_the_author_is_shown_and_carried_out_in_the_own_swarm() -> None:
    device = Device("ios")
    device.got(Text("oops"), sent_ms=70, hash_="M")
    wish = contents.Unsend(70, FRIEND.id)
    assert device.got(wish, hash_="U")[0] == (DELIVER, FRIEND.id, 9, wish, "U")
    (asked,) = device.asked
    method, params = asked.call
    assert (method, params["messages"]) == ("delete", ["M"])
    text = b"deleteM"
    signature = base64.b64decode(params["signature"])
    assert device.suite.verify(OWN.ed.public, text, signature)
    device.got(wish, hash_="again")
    assert len(device.asked) == 1


def test_deletions_that_are_not_the_authors_or_of_what_never_came_delete_nothing() -> None:
    device = Device("ios")
    device.got(Text("mine"), sender=STRANGER, sent_ms=70, hash_="M")
    with pytest.raises(RemoteProtocolError):
        device.got(contents.Unsend(70, STRANGER.id))  # FRIEND asks for what STRANGER wrote
    assert len(device.got(contents.Unsend(71, FRIEND.id))) == 1
    assert device.asked == []
    kept = Device("ios", replace(PLATFORMS["ios"], received_deleted=False))
    kept.got(Text("oops"), sent_ms=70, hash_="M")
    kept.got(contents.Unsend(70, FRIEND.id))
    assert kept.asked == []


@pytest.mark.parametrize("sender", [FRIEND, OWN])
def test_signals_are_shown_whoever_of_both_sides_sent_them(sender: Account) -> None:
    device = Device("android")
    reaction = contents.Reaction(7, OWN.id, "😮")
    for part in (contents.Typing(True, 9), contents.ReadReceipt((7,)), Call(CallKind.END_CALL, "u")):
        assert device.got(part, sender) == [(DELIVER, sender.id, 9, part, "H")]
    target = FRIEND.id if sender is OWN else b""
    shown = device.got(Text(reaction=reaction, sync_target=target), sender)
    assert shown == [(DELIVER, sender.id, 9, reaction, "H")]


def test_a_reaction_copied_by_somebody_else_is_dropped() -> None:
    device = Device("android")
    with pytest.raises(RemoteProtocolError):
        device.got(Text(reaction=contents.Reaction(7, OWN.id, "😮"), sync_target=OWN.id))


def test_an_empty_text_is_no_signal() -> None:
    assert Device("android").got(Text(""))[0][:4] == (DELIVER, FRIEND.id, 9, "")


def test_other_kinds_are_dropped_as_they_are_without_signals() -> None:
    for part in (contents.Extraction(contents.ExtractionKind.SCREENSHOT, 5), contents.RequestResponse(False)):
        with pytest.raises(RemoteProtocolError):
            Device("android").got(part)


def test_a_yes_to_a_request_is_shown() -> None:
    yes = contents.RequestResponse(True)
    assert Device("ios").got(yes, STRANGER) == [(DELIVER, STRANGER.id, 9, yes, "H")]


def test_read_receipts_go_to_whom_the_reader_has_accepted() -> None:
    rules = PLATFORMS["desktop"]
    unknown = account_from_seed(b"\4" * 16).id
    device = Device("desktop")
    assert device.do("receipt", 3, unknown, (5,)) == [(LOG, "failed", 3, NOT_ACCEPTED)]
    assert not device.asked
    device.do("receipt", 4, STRANGER.id, (5,))  # accepted, though it has not accepted this account
    assert len(device.asked) == 1
    SWARMS[unknown] = (1,)
    everybody = Device("desktop", replace(rules, receipts_to="everybody"))
    everybody.do("receipt", 3, unknown, (5,))
    assert len(everybody.asked) == 1


def test_junk_in_the_inbox_is_dropped() -> None:
    device = Device("ios")
    message = rpc.Retrieved("H", 1, 2, b"junk")
    assert device.inbox.take(message, 0) == []


@pytest.mark.parametrize("step", CALL_STEPS)
def test_every_step_of_a_call_carries_what_it_should_and_the_calls_name(step: str) -> None:
    device = Device("ios")
    device.do("call", 0, FRIEND.id, "pre-offer", 0)
    device.do("call", 1, FRIEND.id, step, 780)
    (first, _), (second, _) = device.stored(0, FRIEND), device.stored(1, FRIEND)
    assert isinstance(first.part, Call)
    assert isinstance(second.part, Call)
    carried = sum(map(len, second.part.sdps))
    assert carried == (0 if step in ("pre-offer", "end") else 780)
    assert (second.part.uuid == first.part.uuid) is (step != "pre-offer")
    assert len(second.part.line_indexes) == len(second.part.mids) == (6 if step == "ice" else 0)


def test_who_is_called_answers_under_the_callers_name() -> None:
    device = Device("ios")
    device.got(Call(CallKind.PRE_OFFER, "their-name"))
    device.do("call", 1, FRIEND.id, "answer", 10)
    assert device.stored(0, FRIEND)[0].part.uuid == "their-name"  # type: ignore[union-attr]


# --- showing that somebody types ----------------------------------------------------------------------------


def shown(effects: Effects) -> list[tuple[Any, ...]]:
    return [tuple(effect[1:]) for effect in effects if effect[0] == EVENT]


def typed(device: Device, started: bool, at_s: float, hash_: str, sender: Account = FRIEND) -> Effects:
    opened = Opened(sender.id, write(Message(9, contents.Typing(started, 9))))
    return device.inbox.accept(hash_, opened, int(at_s * US_PER_S))


@EVERY
def test_typing_is_shown_for_fifteen_seconds_if_nothing_else_is_heard(platform: str) -> None:
    device = Device(platform)
    assert shown(typed(device, True, 3, "A")) == []
    assert device.signals.next_due_us() == 18 * US_PER_S
    assert shown(device.signals.wake(17 * US_PER_S)) == []
    # An app that slept meanwhile hears of it late, and has shown it no longer.
    assert shown(device.signals.wake(40 * US_PER_S)) == [("typing-shown", "A", 15 * US_PER_S)]
    assert device.signals.next_due_us() is None


def test_typing_that_is_refreshed_is_one_and_ends_when_its_author_stops() -> None:
    device = Device("desktop")
    typed(device, True, 0, "A")
    typed(device, True, 10, "B")
    assert device.signals.next_due_us() == 25 * US_PER_S
    typed(device, True, 1, "C", STRANGER)
    assert shown(typed(device, False, 21, "D")) == [("typing-shown", "A", 21 * US_PER_S)]
    assert shown(typed(device, False, 22, "E")) == []
    assert shown(device.signals.wake(22 * US_PER_S)) == [("typing-shown", "C", 15 * US_PER_S)]


def test_typing_that_begins_anew_after_its_time_is_another() -> None:
    device = Device("desktop")
    typed(device, True, 0, "A")
    assert shown(typed(device, True, 16, "B")) == [("typing-shown", "A", 15 * US_PER_S)]
    assert shown(device.signals.wake(31 * US_PER_S)) == [("typing-shown", "B", 15 * US_PER_S)]


def test_typing_ends_with_the_text() -> None:
    device = Device("ios", replace(PLATFORMS["ios"], typing_shown_us=60 * US_PER_S))
    typed(device, True, 0, "A")
    opened = Opened(FRIEND.id, write(Message(9, Text("so it was"))))
    assert shown(device.inbox.accept("T", opened, 40 * US_PER_S)) == [("typing-shown", "A", 40 * US_PER_S)]


def test_what_another_own_device_types_is_not_shown() -> None:
    device = Device("android")
    assert typed(device, True, 0, "A", OWN)[0][0] == DELIVER
    assert device.signals.next_due_us() is None
