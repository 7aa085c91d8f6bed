"""Plans: which turns a fault becomes, in which order, from which chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessionsim.core.seeds import Seeds
from sessionsim.network.faults import KINDS, Fault, Plan, compile_plan
from sessionsim.network.faults.plan import FOREVER_US, Answer, Extra, Turn, What
from tests.network.faults.test_choices import SCENE

HORIZON = 1_000_000


def fault(kind: str, name: str = "x", **settings: Any) -> Fault:
    return Fault(name, kind, KINDS[kind](**settings))


def plan(*faults: Fault, seed: int = 3, horizon: int = HORIZON) -> Plan:
    made = compile_plan(faults, SCENE, Seeds(seed), horizon)
    assert made is not None
    return made


def test_where_nothing_fails_in_time_there_is_no_plan() -> None:
    assert compile_plan((), SCENE, Seeds(1), HORIZON) is None
    assert compile_plan((fault("crash", at_us=HORIZON),), SCENE, Seeds(1), HORIZON) is None
    assert compile_plan((fault("crash", share_prob=0.0),), SCENE, Seeds(1), HORIZON) is None


def test_a_crash_and_its_end() -> None:
    made = plan(fault("crash", by="list", nodes=(4,), at_us=10, lasts_us=20, disk="lost", answer="silent"))
    assert made.turns == (Turn(10, 4, What.CRASHES, Answer.SILENT), Turn(30, 4, What.STARTS, True))
    assert plan(fault("crash", by="list", nodes=(4,), at_us=10)).turns == (
        Turn(10, 4, What.CRASHES, Answer.REFUSED),
    )


def test_turns_of_every_other_kind() -> None:
    both = {"by": "list", "nodes": (4,), "at_us": 10, "lasts_us": 20}
    assert plan(fault("hang", **both)).turns == (Turn(10, 4, What.HANGS, 30),)
    name = Seeds(3).address("fault", "x", "extra", 4)
    assert plan(fault("slow", adds_us=7, law="exponential", **both)).turns == (
        Turn(10, 4, What.SLOWS, Extra(7, True, name)),
        Turn(30, 4, What.SPEEDS_UP, Extra(7, True, name)),
    )
    assert plan(fault("clock", ahead_us=-7, **both)).turns == (
        Turn(10, 4, What.CLOCK_MOVES, -7),
        Turn(30, 4, What.CLOCK_MOVES, 7),
    )
    assert plan(fault("clock", by="all", ahead_us=1)).turns == tuple(
        Turn(0, k, What.CLOCK_MOVES, 1) for k in range(17)
    )
    assert plan(fault("disk-full", **both)).turns == (
        Turn(10, 4, What.DISK_FILLS, None),
        Turn(30, 4, What.DISK_EMPTIES, None),
    )


def test_ways_begin_and_end_and_know_whom_they_touch() -> None:
    made = plan(fault("partition", by="country", country="DE", at_us=10, lasts_us=20))
    (way,) = made.ways
    assert [(turn.t_us, turn.what) for turn in made.turns] == [(10, What.WAY_BEGINS), (30, What.WAY_ENDS)]
    assert way.struck == {0, 1, 2, 9, 11}
    assert way.cuts
    assert way.touches(0, 5)
    assert way.touches(5, 9)
    assert not way.touches(0, 9)
    assert not way.touches(5, 6)
    (way,) = plan(fault("partition", by="country", country="DE", clients=False)).ways
    assert way.struck == {0, 1, 2}
    assert way.end_us == FOREVER_US
    (way,) = plan(fault("partition", by="all")).ways
    assert not way.touches(0, 5)
    (way,) = plan(fault("loss", by="list", nodes=(4,), lost_prob=0.25)).ways
    assert (way.struck, way.cuts, way.lost_prob, way.extra) == ({4}, False, 0.25, None)
    assert way.touches(4, 5)
    assert way.touches(5, 4)
    assert not way.touches(5, 6)
    (way,) = plan(fault("delay", by="all", adds_us=9, law="fixed")).ways
    assert way.struck is None
    assert way.extra is not None
    assert way.extra[:2] == (9, False)
    assert way.touches(7, 12)


def test_of_one_time_what_ends_comes_first() -> None:
    again = fault("crash", "b", by="list", nodes=(4,), at_us=30, lasts_us=5)
    first = fault("crash", "a", by="list", nodes=(4,), at_us=10, lasts_us=20)
    for faults in ((first, again), (again, first)):
        turns = [turn for turn in plan(*faults).turns if turn.t_us == 30]
        assert [turn.what for turn in turns] == [What.STARTS, What.CRASHES]


def test_one_fault_moves_nothing_of_another() -> None:
    rates = {"every_us": 100_000, "lasts_us": 10_000}
    alone = plan(fault("crash", "a", count=4, **rates), fault("loss", "c", **rates))
    more = plan(
        fault("hang", "b", count=4, **rates),
        fault("crash", "a", count=4, **rates),
        fault("loss", "c", **rates),
    )
    assert alone.ways == more.ways
    assert [turn for turn in more.turns if turn.what != What.HANGS] == list(alone.turns)
    assert (
        plan(fault("crash", "a", count=4, **rates), seed=4).turns
        != plan(fault("crash", "a", count=4, **rates)).turns
    )


def test_machines_have_spells_of_their_own_and_partitions_strike_together() -> None:
    rates = {"every_us": 50_000, "lasts_us": 1_000}
    crashes = [turn for turn in plan(fault("crash", **rates)).turns if turn.what == What.CRASHES]
    assert len({turn.t_us for turn in crashes}) == len(crashes)
    assert {turn.endpoint for turn in crashes} == set(range(9))
    assert len({way.struck for way in plan(fault("partition", share_prob=0.4, **rates)).ways}) == 1


def test_clocks_that_vary_are_normal() -> None:
    turns = plan(*(fault("clock", f"n{k}", ahead_us=1_000, law="normal") for k in range(200))).turns
    moved = np.array([turn.value for turn in turns])
    assert len(moved) == 1800
    assert abs(moved.mean()) < 4 * 1_000 / 1800**0.5
    assert abs(moved.std() - 1_000) < 4 * 1_000 / 3600**0.5
