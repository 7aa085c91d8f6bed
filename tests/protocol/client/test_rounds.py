"""Rounds in which the own account and groups are polled together."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.protocol.client.groups.polling import GroupPoller
from sessionsim.protocol.client.groups.rules import DESKTOP
from sessionsim.protocol.client.rounds import Rounds
from sessionsim.protocol.machine import Effect
from tests.protocol.client.groups.test_polling import EMPTY, Ears, Wire

S = US_PER_S


class Fake:
    """A poller that takes down when it is polled."""

    def __init__(self, name: str, due: bool = True) -> None:
        self.name, self.due = name, due
        self.over_us: list[int] = []

    def poll_in_round(self, now_us: int) -> list[Effect]:
        return [(self.name, now_us)]

    def is_due(self, now_us: int) -> bool:
        return self.due

    def rounds_over(self, now_us: int) -> None:
        self.over_us.append(now_us)


def test_a_round_begins_with_the_leader_takes_who_is_due_and_ends_with_the_last_answer() -> None:
    own, group, quiet = Fake("own"), Fake("group"), Fake("quiet", due=False)
    rounds = Rounds(own)
    rounds.join(group)
    rounds.join(quiet)
    assert rounds.begin(5) == [("own", 5), ("group", 5)]
    rounds.over(own, 6)
    assert own.over_us == []
    rounds.over(group, 9)
    assert own.over_us == [9]
    rounds.leave(group)
    assert rounds.begin(20) == [("own", 20)]
    rounds.over(own, 21)
    assert own.over_us == [9, 21]


def test_who_leaves_during_a_round_is_still_waited_for() -> None:
    own, group = Fake("own"), Fake("group")
    rounds = Rounds(own)
    rounds.join(group)
    rounds.begin(0)
    rounds.leave(group)
    rounds.over(own, 3)
    rounds.over(group, 8)
    assert own.over_us == [8]


class Bench:
    """A desktop client in some groups, each with a pause of its own; the wire is a fake."""

    def __init__(self, village: Any, ages_us: tuple[int, ...]) -> None:
        crowds = [village.crowd(range(2), name=7 + k) for k in range(len(ages_us))]
        one = village.settle("desktop", 1, {}, [crowd.of(1) for crowd in crowds])
        self.client, self.wire = one.client, Wire()
        self.client.requests = self.wire
        self.own = self.client._poller
        self.client.swarms.find = lambda account_id, now_us, found: found(tuple(range(7)), now_us)
        self.pollers = []
        for crowd, age_us in zip(crowds, ages_us, strict=True):
            standing = one.standing(crowd.id)
            standing.active_us = -age_us
            self.pollers.append(GroupPoller(self.client, DESKTOP, standing, Ears(), {}))

    def polled(self, now_us: int, status: int = 200) -> int:
        """Begin what is due, answer it a second later; say how many swarms were asked."""
        before = len(self.wire.asked)
        self.own.wake(now_us)
        self.wire.answer(status, EMPTY, now_us + S)
        return (len(self.wire.asked) - before) // 2


@pytest.fixture
def bench(village: Any) -> Bench:
    return Bench(village, (0, 3 * US_PER_DAY, 8 * US_PER_DAY))


def test_groups_are_polled_in_the_first_round_after_their_pause(bench: Bench) -> None:
    for poller in bench.pollers:
        assert poller.start_now(0) == []
        assert poller.next_due_us() is None
    bench.own._next_us = 0
    now, found = 0, []
    while now <= 2 * US_PER_MIN + 10 * S:
        found.append((now // S, bench.polled(now)))
        due_us = bench.own.next_due_us()
        assert due_us == now + 6 * S  # a second until the answers, and five of pause
        now = due_us
    assert found[0] == (0, 4)
    # The pauses of 5 s, 1 min and 2 min count from the answers.
    assert {at: swarms for at, swarms in found if swarms != 2} == {0: 4, 66: 3, 126: 3}


def test_a_group_whose_nodes_are_silent_holds_up_the_next_round_and_is_polled_in_it(bench: Bench) -> None:
    active = bench.pollers[1]
    active.start_now(0)
    bench.own._next_us = 0
    bench.own.wake(0)
    own, group = bench.wire.done[:2], bench.wire.done[2:]
    bench.wire.done = []
    for done in own:
        done(200, EMPTY, S)
    assert bench.own.next_due_us() is None
    for done in group:
        done(0, b"", 10 * S)
    assert bench.own.next_due_us() == 15 * S
    assert bench.polled(15 * S) == 2  # it failed, so its minute does not count
    assert bench.polled(bench.own.next_due_us() or 0) == 1


def test_a_group_that_is_left_is_not_polled_any_more(bench: Bench) -> None:
    for poller in bench.pollers:
        poller.start_now(0)
    bench.own._next_us = 0
    bench.pollers[0].stop()
    assert bench.polled(0) == 3


def test_groups_from_before_the_run_are_spread_over_their_pauses(bench: Bench) -> None:
    quiet = bench.pollers[2]
    quiet.start(0)
    bench.own._next_us, now, first = 0, 0, -1
    while first < 0:
        first = now if bench.polled(now) == 2 else -1
        now = bench.own.next_due_us() or 0
    assert first < 2 * US_PER_MIN + 6 * S
