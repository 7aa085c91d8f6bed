"""Forwards that went unanswered: sent again by newer nodes, forgotten by 2.8."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.node_rules import VERSION_2_8, NodeRules
from sessionsim.protocol.snode._retries import NEVER_US, Retries

Make = Callable[..., Any]


@pytest.fixture
def by(make_world: Make, caller: Make) -> Any:
    world = make_world()
    return caller(world, world.person(0))


def copies(world: Any, node: int, since: int) -> list[Any]:
    return [row for row in world.log[since:] if row[3] == "sn.storage_cc" and row[2] == node]


def test_a_member_that_was_away_gets_what_it_missed(by: Any) -> None:
    world = by.world
    world.unreachable = {3}
    start, since = world.now_us, len(world.log)
    hashes = by.put(b"one", b"two")
    assert by.held(3) == []
    world.run(12 * US_PER_S)
    world.unreachable = set()
    world.run(60 * US_PER_S)
    assert by.held(3) == sorted(hashes)
    for payload in {row[4] for row in copies(world, 3, since)}:
        times = [row[0] for row in copies(world, 3, since) if row[4] == payload]
        first, again = times
        unanswered = first + 5 * US_PER_S  # kept then, sent 15 s later at the earliest, on a grid of 5 s
        assert again == ((unanswered + 15 * US_PER_S) // (5 * US_PER_S) + 1) * 5 * US_PER_S
        assert first >= start
    assert [machine.pending for machine in world.machines] == [0] * 12
    assert {row[5] for row in copies(world, 3, since)} == {note_of(Cause.REPLICATION)}


def test_it_is_sent_every_minute_until_it_is_answered(by: Any) -> None:
    world = by.world
    world.silent = {3}  # it does what it is told, but nobody hears
    since = len(world.log)
    by.put(b"one")
    world.run(200 * US_PER_S)
    times = [row[0] for row in copies(world, 3, since)]
    assert len(times) == 4
    assert times[2] - times[1] == times[3] - times[2] == 65 * US_PER_S  # the grid point after 60 s
    world.silent = set()
    world.run(300 * US_PER_S)
    assert len(copies(world, 3, since)) == 5  # one more, which was answered
    assert by.held(3) == by.held(0)


def test_an_answer_after_ten_seconds_does_not_count(by: Any) -> None:
    world = by.world
    world.slow_us = {3: 11 * US_PER_S}
    since = len(world.log)
    by.put(b"one")
    world.run(200 * US_PER_S)
    assert len(copies(world, 3, since)) == 4
    world.slow_us = {3: 9 * US_PER_S}
    world.run(300 * US_PER_S)
    assert len(copies(world, 3, since)) == 5


def test_an_error_is_an_answer(by: Any) -> None:
    world = by.world
    world.tell(3, "swarms", world.nodes_with((0,) * 3 + (1 << 63,) * 9), 1)
    since = len(world.log)
    by.put(b"one")
    world.run(200 * US_PER_S)
    assert len(copies(world, 3, since)) == 1


def test_every_recursive_method_is_sent_again(by: Any) -> None:
    world = by.world
    (one,) = by.put(b"one")
    world.unreachable = {3}
    by.parts(0, by.delete([one]))
    assert by.held(3) == [one]
    world.unreachable = set()
    world.run(60 * US_PER_S)
    assert by.held(3) == []


def test_old_nodes_forget_it(make_world: Make, caller: Make) -> None:
    world = make_world(old=range(12))
    by = caller(world, world.person(0))
    world.unreachable = {3}
    by.put(b"one")
    world.unreachable = set()
    world.run(300 * US_PER_S)
    assert by.held(3) == []
    assert all(machine.pending == 0 for machine in world.machines)


def test_who_leaves_the_swarm_is_owed_nothing(by: Any) -> None:
    world = by.world
    world.unreachable = {3}
    since = len(world.log)
    by.put(b"one")
    world.tell(0, "swarms", world.nodes_with((0,) * 3 + (1 << 63,) * 9), 1)
    world.run(200 * US_PER_S)
    assert len(copies(world, 3, since)) == 1


# By itself


def retries(numbers: Iterator[int] | None = None, **changes: Any) -> Retries:
    return Retries(NodeRules(**changes), numbers or count(1))


def test_nothing_kept_nothing_due() -> None:
    kept, effects = retries(), []
    assert (kept.next_us(), len(kept), kept.awaited) == (NEVER_US, 0, 0)
    kept.check(effects, 5 * US_PER_S)
    assert effects == []


def test_it_gives_up_after_its_time_and_keeps_so_many() -> None:
    kept, effects = retries(retry_for_us=100 * US_PER_S, retry_kept_max=2), []
    for node in (1, 2, 3):
        kept.add(node, b"x", 0)
    assert len(kept) == 2
    kept.check(effects, 20 * US_PER_S)
    assert [effect[1] for effect in effects] == [2, 3]
    kept.check(effects, 105 * US_PER_S)
    assert (len(kept), len(effects)) == (0, 2)


def test_answers_count_from_the_member_that_was_asked() -> None:
    kept, effects = retries(count(7)), []
    kept.add(1, b"x", 0)
    kept.check(effects, 20 * US_PER_S)
    exchange = effects[0][3]
    assert exchange == 7
    assert not kept.take(2, exchange, 21 * US_PER_S)
    assert not kept.take(1, exchange + 1, 21 * US_PER_S)
    assert kept.take(1, exchange, 21 * US_PER_S)
    assert (len(kept), kept.awaited) == (0, 0)
    assert not kept.take(1, exchange, 21 * US_PER_S)


def test_the_version_says_whether() -> None:
    assert NodeRules().retry_forwards
    assert not NodeRules(**VERSION_2_8).retry_forwards
