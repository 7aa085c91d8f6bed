"""Polls of groups: what they ask, whom, how often. The swarm's answers are written by hand."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.protocol.client.groups.polling import GroupPoller
from sessionsim.protocol.client.groups.rules import ANDROID, DESKTOP, IOS, PLATFORMS
from sessionsim.protocol.client.polling import SwarmPoller
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.wire import rpc_signed

EMPTY = orjson.dumps({"results": [{"code": 200, "body": {"messages": [], "more": False}}] * 5})


# Without the rounds of the own account, which have tests of their own.
ALONE = replace(DESKTOP, poll_joint=False)


class Wire:
    """Stands for the onion side: takes requests down, and answers when told."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, dict[str, Any], int]] = []  # exchange, node, body, note
        self.done: list[Any] = []
        self.paths = ()

    def send(self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Any:
        self.asked.append((exchange, node, orjson.loads(body), note))
        self.done.append(done)
        return ("sent", exchange)

    def answer(self, status: int, body: bytes, now_us: int) -> None:
        """Answer all that is open."""
        done, self.done = self.done, []
        for one in done:
            one(status, body, now_us)


class Ears:
    """Takes down what a poller hands on."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, list[str]]] = []
        self.rounds = 0

    def take(self, standing: Any, namespace: int, messages: Any, now_us: int) -> list[Any]:
        self.heard.append((namespace, [message.hash for message in messages]))
        return []

    def polled(self, standing: Any, now_us: int) -> list[Any]:
        self.rounds += 1
        return []


class Bench:
    """A poller on a bench: member 1 of a group of two, or its admin 0."""

    def __init__(self, village: Any, platform: str, name: int = 1, known: Any = None) -> None:
        self.crowd = village.crowd(range(2))
        one = village.settle(platform, name, {}, [self.crowd.of(name)])
        self.standing, self.client = one.standing(self.crowd.id), one.client
        self.standing.active_us = 0
        self.wire, self.ears = Wire(), Ears()
        self.client.requests = self.wire
        members = tuple(range(7))
        self.client.swarms.find = lambda account_id, now_us, found: found(members, now_us)
        # Alone, whatever the platform does with the rounds of the own account.
        rules = replace(PLATFORMS[platform], poll_joint=False)
        self.poller = GroupPoller(self.client, rules, self.standing, self.ears, known or {})

    def round(self, now_us: int, body: bytes = EMPTY, status: int = 200) -> int:
        """One round that is answered at once; the pause after it."""
        self.poller.start_now(now_us)
        self.wire.answer(status, body, now_us)
        due_us = self.poller.next_due_us()
        assert due_us is not None
        return due_us - now_us

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [call["params"] for call in self.wire.asked[-1][2]["params"]["requests"]]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_member_shows_its_token_and_signs_each_retrieve(village: Any, platform: str) -> None:
    bench = Bench(village, platform)
    bench.round(0)
    rules, subaccount = PLATFORMS[platform], bench.standing.access
    assert [call["namespace"] for call in bench.calls] == list(rules.namespaces)
    assert [call["max_size"] for call in bench.calls] == [-2 if n == 11 else -8 for n in rules.namespaces]
    for call in bench.calls:
        assert call["pubkey"] == bench.crowd.id.hex()
        assert "pubkey_ed25519" not in call
        assert base64.b64decode(call["subaccount"]) == subaccount.token
        assert base64.b64decode(call["subaccount_sig"]) == subaccount.token_signature
        text = rpc_signed.namespaced_text("retrieve", call["namespace"], call["timestamp"])
        assert village.world.suite.verify(subaccount.token[4:], text, base64.b64decode(call["signature"]))
    assert bench.wire.asked[-1][3] == note_of(Cause.POLL)


def test_namespaces_stand_in_the_order_of_the_platform() -> None:
    assert DESKTOP.namespaces == (-11, 11, 13, 14, 12)
    assert ANDROID.namespaces == (-11, 11, 12, 13, 14)
    assert IOS.namespaces == (11, 12, 13, 14, -11)


@pytest.mark.parametrize(("platform", "days"), [("desktop", 30), ("android", 14), ("ios", 30)])
def test_an_admin_signs_as_the_group_and_extends_what_it_stands_on(
    village: Any, platform: str, days: int
) -> None:
    bench = Bench(village, platform, 0)
    bench.round(0)
    *retrieves, expire = bench.calls
    assert len(retrieves) == 5
    for call in retrieves:
        assert "subaccount" not in call
        text = rpc_signed.namespaced_text("retrieve", call["namespace"], call["timestamp"])
        signature = base64.b64decode(call["signature"])
        assert village.world.suite.verify(bench.crowd.group.ed.public, text, signature)
    assert expire["messages"] == sorted(one.hash for one in bench.crowd.founding.stored)
    assert expire["expiry"] == village.epoch_ms + days * 86_400_000
    assert expire["extend"] is True


def test_what_was_read_before_the_run_is_not_asked_for_again(village: Any) -> None:
    bench = Bench(village, "desktop", 1, {12: "K" * 43})
    bench.round(0)
    assert {call["namespace"]: call["last_hash"] for call in bench.calls} == {
        -11: "", 11: "", 12: "K" * 43, 13: "", 14: "",
    }  # fmt: skip


def test_cursors_are_kept_for_each_node(village: Any) -> None:
    bench = Bench(village, "android")
    message = {"hash": "H" * 43, "timestamp": 1, "expiration": 2, "data": "AAAA"}
    body = orjson.dumps({"results": [{"code": 200, "body": {"messages": [message]}}] * 5})
    bench.round(0, body)
    first = bench.wire.asked[-1][1]
    for k in range(1, 8):
        bench.round(k, EMPTY)
        expected = "H" * 43 if bench.wire.asked[-1][1] == first else ""
        assert {call["last_hash"] for call in bench.calls} == {expected}


def test_keys_are_handed_on_before_what_needs_them_and_the_kick_comes_last(village: Any) -> None:
    bench = Bench(village, "ios")
    message = {"hash": "H" * 43, "timestamp": 1, "expiration": 2, "data": "AAAA"}
    body = orjson.dumps({"results": [{"code": 200, "body": {"messages": [message]}}] * 5})
    bench.round(0, body)
    assert [namespace for namespace, _ in bench.ears.heard] == [12, 13, 14, 11, -11]
    assert bench.ears.rounds == 1


def test_the_kick_is_read_even_if_everything_else_is_refused(village: Any) -> None:
    bench = Bench(village, "desktop")
    message = {"hash": "H" * 43, "timestamp": 1, "expiration": 2, "data": "AAAA"}
    results = [{"code": 200, "body": {"messages": [message]}}, *([{"code": 401, "body": "no"}] * 4)]
    bench.round(0, orjson.dumps({"results": results}))
    assert [namespace for namespace, _ in bench.ears.heard] == [-11, -11]  # of both nodes


@pytest.mark.parametrize(
    ("quiet_us", "pause_us"),
    [
        (0, 5 * US_PER_S), (2 * US_PER_DAY - 1, 5 * US_PER_S), (2 * US_PER_DAY, 60 * US_PER_S),
        (7 * US_PER_DAY - 1, 60 * US_PER_S), (7 * US_PER_DAY, 120 * US_PER_S),
        (300 * US_PER_DAY, 120 * US_PER_S),
    ],
)  # fmt: skip
def test_desktop_polls_a_quiet_group_seldom(village: Any, quiet_us: int, pause_us: int) -> None:
    assert Bench(village, "desktop").round(quiet_us) == pause_us


@pytest.mark.parametrize(
    ("quiet_us", "pause_us"),
    [
        (0, 3 * US_PER_S), (4 * US_PER_H, 12 * US_PER_S), (6 * US_PER_H, 16_500_000),
        (12 * US_PER_H, 30 * US_PER_S), (9 * US_PER_DAY, 30 * US_PER_S),
    ],
)  # fmt: skip
def test_ios_polls_the_less_the_longer_a_group_is_quiet(village: Any, quiet_us: int, pause_us: int) -> None:
    assert Bench(village, "ios").round(quiet_us) == pause_us


def test_android_polls_every_group_alike_and_slows_down_only_when_polls_fail(village: Any) -> None:
    bench = Bench(village, "android")
    assert bench.round(9 * US_PER_DAY) == 2 * US_PER_S
    pauses = [bench.round(9 * US_PER_DAY, b"", 500) for _ in range(6)]
    assert pauses == [n * US_PER_S for n in (4, 6, 8, 10, 10, 10)]
    assert bench.round(9 * US_PER_DAY) == 2 * US_PER_S


def test_desktop_asks_two_nodes_and_android_each_in_turn(village: Any) -> None:
    desktop = Bench(village, "desktop")
    pairs = []
    for k in range(40):
        desktop.round(k)
        pairs.append({node for _, node, _, _ in desktop.wire.asked[-2:]})
    assert all(len(pair) == 2 for pair in pairs)
    assert len({tuple(sorted(pair)) for pair in pairs}) > 10
    android = Bench(village, "android")
    for k in range(14):
        android.round(k)
    nodes = [node for _, node, _, _ in android.wire.asked]
    assert set(nodes[:7]) == set(nodes[7:]) == set(range(7))


def test_an_iphone_may_pause_by_the_polls_that_brought_nothing(village: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(SwarmPoller, "idle", lambda self, until_us, now_us: "idle")
    bench = Bench(village, "ios")
    bench.poller._rules = replace(IOS, poll_rule="empties", poll_joint=False)
    pauses = [bench.round(k) / US_PER_S for k in range(7)]
    assert pauses == [3 + 2, 3 + 4, 3 + 8, 3 + 16, 30, 30, 30]
    assert bench.poller.idle(US_PER_DAY, 8) == "idle"
    assert bench.round(7, b"", 0) / US_PER_S == 30  # a failure says nothing
    message = {"hash": "H" * 43, "timestamp": 1, "expiration": 2, "data": "AAAA"}
    full = orjson.dumps({"results": [{"code": 200, "body": {"messages": [message]}}] * 5})
    assert bench.round(8, full) / US_PER_S == 3 + 1
    assert bench.poller.idle(US_PER_DAY, 9) is None


def test_numbers_of_polls_tell_groups_from_each_other_and_from_the_own_account(village: Any) -> None:
    bench = Bench(village, "desktop")
    bench.standing.tag = 3
    other = GroupPoller(bench.client, ALONE, bench.standing, bench.ears, {})
    bench.round(0)
    other.start_now(0)
    exchanges = [exchange for exchange, *_ in bench.wire.asked]
    assert len(set(exchanges)) == 4
    assert {exchange & 15 for exchange in exchanges} == {Purpose.GROUP_POLL}
    assert all(exchange < 1 << 62 for exchange in exchanges)


def test_a_stopped_poller_asks_no_more_and_hands_nothing_on(village: Any) -> None:
    bench = Bench(village, "desktop")
    bench.poller.start_now(0)
    bench.poller.stop()
    message = {"hash": "H" * 43, "timestamp": 1, "expiration": 2, "data": "AAAA"}
    bench.wire.answer(200, orjson.dumps({"results": [{"code": 200, "body": {"messages": [message]}}] * 5}), 1)
    assert bench.poller.next_due_us() is None
    assert bench.ears.heard == []
    assert bench.poller.wake(10 * US_PER_MIN) == []


def test_first_polls_are_spread_over_the_first_pause(village: Any) -> None:
    bench = Bench(village, "desktop")
    phases = []
    for tag in range(1, 80):
        bench.standing.tag = tag
        poller = GroupPoller(bench.client, ALONE, bench.standing, bench.ears, {})
        poller.start(0)
        phases.append(poller.next_due_us())
    assert min(phases) < US_PER_S
    assert 4 * US_PER_S < max(phases) < 5 * US_PER_S
