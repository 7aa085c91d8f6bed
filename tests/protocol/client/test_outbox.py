"""Sending: attempts and pauses, queues per recipient, sync copies. Swarms and requests are fakes."""

from __future__ import annotations

import base64
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.seeds import Entropy, Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MS, US_PER_S
from sessionsim.protocol.client.outbox import Outbox
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, PLATFORMS, ClientRules
from sessionsim.protocol.client.sealing import SealingV1
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import EVENT, LOG, SEND, Effect, Effects
from sessionsim.protocol.versions.v1 import DirectMessage, Profile, open_direct
from sessionsim.protocol.wire import rpc
from tests.protocol.client.stores import LATE, held

OWN, FRIEND, OTHER = (account_from_seed(bytes([i]) * 16) for i in (1, 2, 3))
SWARMS = {OWN.id: (1, 2, 3, 4, 5), FRIEND.id: (11, 12, 13, 14, 15, 16), OTHER.id: (21, 22, 23)}
STORED = orjson.dumps(held(suite_named("fast"), [OWN.ed, FRIEND.ed, OTHER.ed]))
ALL = pytest.mark.parametrize("rules", PLATFORMS.values(), ids=list(PLATFORMS))


class Asked(NamedTuple):
    exchange: int
    node: int
    body: bytes
    note: int
    now_us: int
    done: Any


class FakeClient:
    """What an outbox needs of its client; it is its own swarm cache, its own requests and its own inbox."""

    def __init__(self, rules: ClientRules) -> None:
        self.account: Account = OWN
        self.rules, self.suite = rules, suite_named("fast")
        self.body_style = rpc.BODY_STYLES[rules.body_style]
        self.entropy: Entropy = Seeds(5).entropy("client")
        self.requests = self.swarms = self.inbox = self
        self.own: list[str] = []  # hashes of what it stored in its own inbox
        self.sealing: Any = SealingV1(self)  # type: ignore[arg-type]
        self.known = dict(SWARMS)
        self.corrected: list[tuple[bytes, dict[str, Any]]] = []
        self.asked: list[Asked] = []
        self.box = Outbox(self, Profile("Ann", "", b"", 0))  # type: ignore[arg-type]

    def made(self, message_hash: str, sent_ms: int) -> None:
        self.own.append(message_hash)

    def wire_ms(self, now_us: int) -> int:
        return 1_777_000_000_000 + now_us // 1000

    def find(self, account_id: bytes, now_us: int, found: Any) -> list[Effect]:
        return found(self.known[account_id], now_us)  # type: ignore[no-any-return]

    def correct(self, account_id: bytes, fields: dict[str, Any]) -> None:
        self.corrected.append((account_id, fields))
        self.known[account_id] = (31, 32, 33)

    def send(self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Effect:
        self.asked.append(Asked(exchange, node, body, note, now_us, done))
        return (SEND, exchange)

    def answer(self, k: int, code: int, now_us: int, body: bytes = STORED) -> Effects:
        """Have request `k` answered as a node does: in the form in which it was asked."""
        if self.rules.send_form == "store":
            return self.asked[k].done(code, body, now_us)  # type: ignore[no-any-return]
        text = body if body[:1] in b"{[" else orjson.dumps(body.decode())
        return self.asked[k].done(200, b'{"results":[{"body":%b,"code":%d}]}' % (text, code), now_us)  # type: ignore[no-any-return]


def logs(effects: Effects) -> list[tuple[Any, ...]]:
    """Give what is logged; times of writing are left out, which the first test looks at."""
    return [tuple(effect[1:]) for effect in effects if effect[0] == LOG and effect[1] != "written"]


def call_of(asked: Asked) -> tuple[str, dict[str, Any]]:
    """The form and the parameters of the store in a request."""
    outer = orjson.loads(asked.body)
    if outer["method"] == "store":
        return "store", outer["params"]
    (inner,) = outer["params"]["requests"]
    assert inner["method"] == "store"
    return outer["method"], inner["params"]


def opened(asked: Asked, account: Account) -> DirectMessage:
    return open_direct(suite_named("fast"), account, base64.b64decode(call_of(asked)[1]["data"]))


@ALL
def test_a_text_is_stored_in_the_recipients_swarm(rules: ClientRules) -> None:
    client = FakeClient(rules)
    effects = client.box.accept(7, FRIEND.id, "hello", 5 * US_PER_S)
    (asked,) = client.asked
    form, params = call_of(asked)
    assert form == rules.send_form
    assert params.get("pubkey", params.get("pubKey")) == FRIEND.id_hex
    assert int(params["ttl"]) == 14 * US_PER_DAY // US_PER_MS
    assert int(params["timestamp"]) == client.wire_ms(5 * US_PER_S)
    assert asked.node in SWARMS[FRIEND.id]
    assert asked.exchange & 15 == Purpose.SEND
    assert asked.note == note_of(Cause.MESSAGE, 7)
    data = base64.b64decode(params["data"])
    hash_ = rpc.message_hash(FRIEND.id, 0, data)
    ms = client.wire_ms(5 * US_PER_S)
    assert effects == [
        (LOG, "hash", 7, hash_),
        (LOG, "written", 7, (ms, ms + 14 * US_PER_DAY // US_PER_MS)),
        (LOG, "attempts", 7, 1),
        (SEND, asked.exchange),
    ]
    message = opened(asked, FRIEND)
    assert (message.sender_id, message.body, message.sync_target) == (OWN.id, "hello", b"")
    assert message.sent_ms == message.envelope_ms == client.wire_ms(5 * US_PER_S)


@ALL
def test_the_sync_copy_follows_the_stored_answer_and_is_for_the_own_devices(rules: ClientRules) -> None:
    client = FakeClient(rules)
    client.box.accept(7, FRIEND.id, "hello", 0)
    effects = client.answer(0, 200, 800)
    assert [log[0] for log in logs(effects)] == ["stored", "sync_hash"]
    assert logs(effects)[0] == ("stored", 7, 800)
    sync = client.asked[1]
    assert sync.now_us == 800
    assert sync.node in SWARMS[OWN.id]
    assert sync.exchange & 15 == Purpose.SYNC
    assert sync.note == note_of(Cause.SYNC, 7)
    message = opened(sync, OWN)
    assert (message.sender_id, message.body, message.sync_target) == (OWN.id, "hello", FRIEND.id)
    assert message.sent_ms == client.wire_ms(0)
    assert logs(effects)[1][2] == rpc.message_hash(OWN.id, 0, base64.b64decode(call_of(sync)[1]["data"]))
    assert client.own == [logs(effects)[1][2]]
    assert logs(client.answer(1, 200, 900)) == [("sync_stored", 7, 900)]
    assert client.box.next_due_us() is None


@ALL
def test_a_note_to_self_has_no_sync_copy(rules: ClientRules) -> None:
    client = FakeClient(rules)
    begun = client.box.accept(1, OWN.id, "milk", 0)
    assert client.own == [logs(begun)[0][2]]
    assert logs(client.answer(0, 200, 5)) == [("stored", 1, 5)]
    assert len(client.asked) == 1
    assert opened(client.asked[0], OWN).sync_target == b""


def test_without_the_setting_there_is_no_sync_copy() -> None:
    client = FakeClient(replace(DESKTOP, sync_copy=False))
    client.box.accept(1, FRIEND.id, "x", 0)
    client.answer(0, 200, 5)
    assert len(client.asked) == 1


@pytest.mark.parametrize(
    ("rules", "pauses_ms"),
    [
        (DESKTOP, [100, 100]),
        (ANDROID, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000]),
        (IOS, [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000]),
        (replace(ANDROID, send_backoff_cap_us=3 * US_PER_S), [500, 1000, 2000] + [3000] * 6),
    ],
    ids=["desktop", "android", "ios", "capped"],
)
def test_attempts_are_repeated_after_the_platforms_pauses_and_given_up(
    rules: ClientRules, pauses_ms: list[int]
) -> None:
    client = FakeClient(rules)
    client.box.accept(3, FRIEND.id, "x", 0)
    now = 0
    for k, pause in enumerate(pauses_ms):
        now += 40_000
        assert logs(client.asked[k].done(0, b"", now)) == []
        due = client.box.next_due_us()
        assert due == now + pause * US_PER_MS
        assert client.box.wake(due - 1) == []
        assert logs(client.box.wake(due)) == [("attempts", 3, k + 2)]
        now = due
    assert client.asked[-1].done(504, b"", now) == [(LOG, "failed", 3, "status 504")]
    assert client.box.next_due_us() is None
    assert len(client.asked) == rules.send_attempts
    assert len({asked.exchange for asked in client.asked}) == rules.send_attempts
    assert len({call_of(asked)[1]["data"] for asked in client.asked}) == 1  # the same bytes each time


def test_pauses_never_overflow() -> None:
    client = FakeClient(replace(ANDROID, send_attempts=100, send_backoff_growth=10.0))
    client.box.accept(3, FRIEND.id, "x", 0)
    now = 0
    for k in range(99):
        client.asked[k].done(0, b"", now)
        now = client.box.next_due_us() or 0
        client.box.wake(now)
    assert logs(client.asked[99].done(0, b"", now)) == [("failed", 3, "no answer")]


@ALL
def test_a_421_replaces_the_swarm_and_is_retried_at_once(rules: ClientRules) -> None:
    client = FakeClient(rules)
    client.box.accept(3, FRIEND.id, "x", 0)
    effects = client.answer(0, 421, 50, b'{"snodes":[]}')
    assert client.corrected == [(FRIEND.id, {"snodes": []})]
    assert effects == [(LOG, "attempts", 3, 2), (SEND, client.asked[1].exchange)]
    assert client.asked[1].node in (31, 32, 33)
    assert client.box.next_due_us() is None


def test_the_whole_batch_may_be_answered_by_421() -> None:
    client = FakeClient(DESKTOP)
    client.box.accept(3, FRIEND.id, "x", 0)
    client.asked[0].done(421, b'{"snodes":[]}', 50)
    assert client.corrected == [(FRIEND.id, {"snodes": []})]
    assert len(client.asked) == 2


@ALL
def test_421_without_end_is_given_up(rules: ClientRules) -> None:
    client = FakeClient(rules)
    client.box.accept(3, FRIEND.id, "x", 0)
    now_us = 0
    for k in range(rules.send_attempts - 1):
        client.answer(k, 421, now_us, b"{}")
        if len(client.asked) == k + 1:  # redirected enough: it waits
            now_us = client.box.next_due_us()
            client.box.wake(now_us)
    last = client.answer(rules.send_attempts - 1, 421, now_us, b"{}")
    assert logs(last) == [("failed", 3, "status 421")]
    assert len(client.asked) == rules.send_attempts


@ALL
@pytest.mark.parametrize("code", [400, 401, 406, 429, 500, 502, 503, 504, 0, -200, 201, 10**15])
def test_other_codes_are_retried_after_a_pause(rules: ClientRules, code: int) -> None:
    client = FakeClient(rules)
    client.box.accept(3, FRIEND.id, "x", 0)
    assert client.answer(0, code, 50, b"Sorry") == []
    assert client.box.next_due_us() == 50 + rules.send_backoff_us
    assert client.corrected == []


GARBAGE = [
    b"", b"\xff", b"null", b"7", b'"x"', b"[]", b"[[]]", b"{", b"[" * 3000, b"[" * 900 + b"]" * 900, b"NaN",
]  # fmt: skip
GARBAGE_BATCH = [
    b"{}", b'{"results":7}', b'{"results":[]}', b'{"results":[7]}', b'{"results":[{}]}',
    b'{"results":[{"code":"200"}]}', b'{"results":[{"code":true,"body":{}}]}',
    b'{"results":[{"code":200.0,"body":{}}]}', b'{"results":{"0":{"code":200}}}',
    b'{"results":[{"code":200,"body":' + b"[" * 1050 + b"]" * 1050 + b"}]}",
]  # fmt: skip


@ALL
def test_garbage_is_retried(rules: ClientRules) -> None:
    for body in GARBAGE if rules.send_form == "store" else GARBAGE + GARBAGE_BATCH:
        client = FakeClient(rules)
        client.box.accept(3, FRIEND.id, "x", 0)
        assert client.asked[0].done(200, body, 50) == []
        assert client.box.next_due_us() == 50 + rules.send_backoff_us


def test_texts_to_one_person_go_one_after_the_other_and_to_others_at_once() -> None:
    client = FakeClient(DESKTOP)
    client.box.accept(0, FRIEND.id, "one", 0)
    assert client.box.accept(1, FRIEND.id, "two", 1) == []
    client.box.accept(2, OTHER.id, "three", 2)
    assert [opened(client.asked[k], who).body for k, who in ((0, FRIEND), (1, OTHER))] == ["one", "three"]
    effects = client.answer(0, 200, 500_000)
    # The sync copy of the first and the second text leave together.
    assert [(log[0], log[1]) for log in logs(effects)] == [
        ("stored", 0), ("sync_hash", 0), ("hash", 1), ("attempts", 1),
    ]  # fmt: skip
    assert opened(client.asked[3], FRIEND).body == "two"
    assert opened(client.asked[3], FRIEND).sent_ms == client.wire_ms(500_000)


def test_a_text_given_up_lets_the_next_one_go() -> None:
    client = FakeClient(replace(DESKTOP, send_attempts=1))
    client.box.accept(0, FRIEND.id, "one", 0)
    client.box.accept(1, FRIEND.id, "two", 1)
    effects = client.asked[0].done(0, b"", 9)
    assert [(log[0], log[1]) for log in logs(effects)] == [("failed", 0), ("hash", 1), ("attempts", 1)]
    client.answer(1, 200, 10)
    client.box.accept(2, FRIEND.id, "three", 20)  # the queue is idle again
    assert opened(client.asked[-1], FRIEND).body == "three"


def test_a_sync_copy_that_fails_is_retried_and_given_up() -> None:
    client = FakeClient(DESKTOP)
    client.box.accept(0, FRIEND.id, "one", 0)
    client.answer(0, 200, 10)
    for k in range(1, DESKTOP.send_attempts + 1):
        assert list(client.box.pending_copies()) == [0]
        last = logs(client.asked[k].done(0, b"", 20))
        assert last == ([("sync_failed", 0, "no answer")] if k == DESKTOP.send_attempts else [])
        client.box.wake(client.box.next_due_us() or 0)
    assert list(client.box.pending_copies()) == []
    assert len(client.asked) == 1 + DESKTOP.send_attempts
    assert {asked.exchange & 15 for asked in client.asked[1:]} == {Purpose.SYNC}
    assert client.box.next_due_us() is None


def test_what_is_neither_stored_nor_given_up_is_pending() -> None:
    client = FakeClient(DESKTOP)
    client.box.accept(0, FRIEND.id, "one", 0)
    client.box.accept(1, FRIEND.id, "two", 0)
    client.box.accept(2, OTHER.id, "three", 0)
    assert sorted(client.box.pending()) == [0, 1, 2]
    client.answer(0, 200, 10)
    assert sorted(client.box.pending()) == [1, 2]
    assert list(client.box.pending_copies()) == [0]
    client.answer(2, 200, 20)  # the copy; requests 1 and 3 are the other texts
    assert sorted(client.box.pending()) == [1, 2]
    assert list(client.box.pending_copies()) == []
    for k in (3, 1):
        client.answer(k, 200, 30)
    assert list(client.box.pending()) == []


def test_no_swarm_counts_as_an_attempt() -> None:
    client = FakeClient(DESKTOP)
    client.known[FRIEND.id] = ()
    client.box.accept(0, FRIEND.id, "one", 0)
    now = 0
    for _ in range(DESKTOP.send_attempts - 2):
        now = client.box.next_due_us() or 0
        client.box.wake(now)
    effects = client.box.wake(client.box.next_due_us() or 0)
    assert logs(effects) == [("failed", 0, "no swarm found")]
    assert client.asked == []


def test_retries_due_at_the_same_time_are_all_made() -> None:
    client = FakeClient(DESKTOP)
    for ref, person in enumerate((FRIEND, OTHER, OWN)):
        client.box.accept(ref, person.id, "x", 0)
        client.asked[ref].done(0, b"", 100)
    client.box.wake(100 + DESKTOP.send_backoff_us)
    assert len(client.asked) == 6


def test_bytes_of_a_text_do_not_depend_on_when_others_are_answered() -> None:
    """A text's draws come from its place in the order of texts, not from what happened before it."""
    quick, slow = FakeClient(DESKTOP), FakeClient(DESKTOP)
    for client in (quick, slow):
        client.box.accept(0, FRIEND.id, "one", 0)
    quick.answer(0, 200, 10)  # starts a sync copy
    for client in (quick, slow):
        client.box.accept(1, OTHER.id, "two", 1000)
    assert quick.asked[-1][:5] == slow.asked[-1][:5]


def test_exchange_numbers_are_unique_and_fit() -> None:
    client = FakeClient(DESKTOP)
    for ref in range(50):
        client.box.accept(ref, (FRIEND, OTHER, OWN)[ref % 3].id, "x", ref)
    k = 0
    while k < len(client.asked):
        client.answer(k, 500 if client.asked[k].exchange >> 4 & 255 == 0 and k % 2 else 200, k)
        client.box.wake(client.box.next_due_us() or 0)
        k += 1
    numbers = [asked.exchange for asked in client.asked]
    assert len(numbers) > 50 + 33
    assert len(set(numbers)) == len(numbers)
    assert all(0 <= number < 1 << 63 for number in numbers)


def test_stores_go_to_every_member_of_the_swarm_sooner_or_later() -> None:
    client = FakeClient(replace(DESKTOP, sync_copy=False))
    for ref in range(60):
        client.box.accept(ref, FRIEND.id, "x", ref)
        client.answer(ref, 200, ref)
    assert {asked.node for asked in client.asked} == set(SWARMS[FRIEND.id])


def test_the_profile_is_told_only_where_the_platform_does() -> None:
    told, silent = FakeClient(DESKTOP), FakeClient(replace(DESKTOP, send_profile=False))
    for client in (told, silent):
        client.box.accept(0, FRIEND.id, "x", 0)
    sizes = [len(base64.b64decode(call_of(c.asked[0])[1]["data"])) for c in (told, silent)]
    assert sizes[1] == 398  # messages 2.4: a short minimal text
    assert sizes[0] >= sizes[1]


class WaitingSealing(SealingV1):
    """Says later when it can seal."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.waiting: list[tuple[int, bytes, Any]] = []

    def prepare(self, ref: int, recipient_id: bytes, now_us: int, ready: Any) -> list[Effect]:
        self.waiting.append((ref, recipient_id, ready))
        return []

    def go(self, now_us: int) -> list[Effect]:
        _ref, recipient_id, ready = self.waiting.pop(0)
        return ready(partial(self.seal, recipient_id), now_us)  # type: ignore[no-any-return]


def test_a_text_waits_until_it_can_be_sealed_and_those_behind_it_wait_too() -> None:
    client = FakeClient(DESKTOP)
    client.sealing = sealing = WaitingSealing(client)
    assert client.box.accept(0, FRIEND.id, "one", 10) == []
    assert client.box.accept(1, FRIEND.id, "two", 20) == []
    assert [(ref, who) for ref, who, _ in sealing.waiting] == [(0, FRIEND.id)]
    assert [log[:2] for log in logs(sealing.go(3_000_000))] == [("hash", 0), ("attempts", 0)]
    assert opened(client.asked[0], FRIEND).sent_ms == client.wire_ms(10)  # when it was wished for
    client.answer(0, 200, 3_500_000)
    assert [(ref, who) for ref, who, _ in sealing.waiting] == [(0, OWN.id), (1, FRIEND.id)]
    sealing.go(3_500_000)
    assert opened(client.asked[1], OWN).sync_target == FRIEND.id


def test_what_is_forgotten_is_logged_once_and_never_tried_again() -> None:
    """One text whose copy is under way, one that is, one behind it: late answers change nothing."""
    client = FakeClient(DESKTOP)
    client.box.accept(1, OTHER.id, "stored", 0)
    client.answer(0, 200, 5)
    client.box.accept(2, FRIEND.id, "under way", 10)
    client.box.accept(3, FRIEND.id, "behind", 20)
    effects = client.box.forget("gone", 30)
    assert logs(effects) == [("failed", 2, "gone"), ("failed", 3, "gone"), ("sync_failed", 1, "gone")]
    assert not [*client.box.pending(), *client.box.pending_copies()]
    for k in (1, 2):
        assert client.answer(k, 200, 40) == []
        assert client.answer(k, 500, 40) == []
    assert client.box.next_due_us() is None
    assert client.box.forget("gone", 50) == []
    # The next text to the same person waits for none of them.
    assert ("hash", 4) in [log[:2] for log in logs(client.box.accept(4, FRIEND.id, "new", 60))]


def test_a_retry_that_waits_is_forgotten_too() -> None:
    client = FakeClient(DESKTOP)
    client.box.accept(1, FRIEND.id, "text", 0)
    client.answer(0, 500, 5)
    assert client.box.next_due_us() is not None
    client.box.forget("gone", 6)
    assert client.box.next_due_us() is None
    assert client.box.wake(US_PER_S) == []


@pytest.mark.parametrize(("redirects", "at_once"), [(0, [0]), (1, [0, 1]), (2, [0, 1, 2])])
def test_a_client_follows_so_many_redirects_and_then_pauses(redirects: int, at_once: list[int]) -> None:
    """After the pause it follows as many again."""
    client = FakeClient(replace(IOS, send_redirects=redirects))
    client.box.accept(3, FRIEND.id, "x", 0)
    for k in at_once:
        client.answer(k, 421, 50, b"{}")
    assert len(client.asked) == redirects + 1
    due_us = client.box.next_due_us()
    assert due_us == 50 + int(IOS.send_backoff_us * IOS.send_backoff_growth**redirects)
    client.box.wake(due_us)
    for k in range(redirects):
        client.answer(redirects + 1 + k, 421, due_us, b"{}")
    assert len(client.asked) == 2 * (redirects + 1)


# --- what members say ---------------------------------------------------------------------------------------


def events(effects: Effects) -> list[tuple[Any, ...]]:
    return [tuple(effect[1:]) for effect in effects if effect[0] == EVENT]


@ALL
def test_an_iphone_tries_again_when_fewer_than_half_of_the_members_have_signed(rules: ClientRules) -> None:
    client = FakeClient(rules)
    client.box.accept(7, FRIEND.id, "hello", 0)
    few = orjson.dumps(held(client.suite, [OWN.ed], **{"a" * 64: LATE, "b" * 64: LATE}))
    effects = client.answer(0, 200, 50, few)
    assert events(effects) == [("member-silent", 7, 2)]
    if rules is not IOS:
        assert logs(effects)[0] == ("stored", 7, 50)
        return
    assert logs(effects) == []
    assert client.box.next_due_us() == 50 + rules.send_backoff_us
    for k in range(1, rules.send_attempts):
        due_us = client.box.next_due_us()
        assert due_us is not None
        client.box.wake(due_us)
        effects = client.answer(k, 200, due_us, few)
    assert logs(effects) == [("failed", 7, "too few members confirmed it")]


def test_who_was_missing_from_the_copy_for_the_own_devices_is_told_apart() -> None:
    client = FakeClient(IOS)
    client.box.accept(7, FRIEND.id, "hello", 0)
    client.answer(0, 200, 50)
    without = orjson.dumps(held(client.suite, [OWN.ed, FRIEND.ed], **{"a" * 64: LATE}))
    effects = client.answer(1, 200, 90, without)
    assert events(effects) == [("copy-member-silent", 7, 1)]
    assert logs(effects) == [("sync_stored", 7, 90)]
