"""Slots: of each target the stated share is marked, by a key of its own."""

from __future__ import annotations

import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.network.interference.kinds import Delay, Isolate
from sessionsim.network.interference.rhythm import Rhythm


def rhythm(
    name: str = "x", targets: tuple[int, ...] = (7, 8), horizon: int = 1_000_000, **settings: int | float
) -> Rhythm:
    return Rhythm(name, Delay(**{"slot_us": 10_000, **settings}), targets, Seeds(3), horizon)


def marks(made: Rhythm, target: int) -> list[int]:
    return [begin_us for its, begin_us, _ in made.slots() if its == target]


def test_of_each_target_the_stated_share_of_slots_is_marked() -> None:
    made = rhythm(share_prob=0.25)
    assert made.targets == (7, 8)
    assert [len(marks(made, target)) for target in (7, 8)] == [25, 25]
    assert marks(made, 7) != marks(made, 8)
    assert not marks(rhythm(share_prob=0.0), 7)


def test_a_key_depends_on_name_and_target_alone() -> None:
    assert marks(rhythm(targets=(7,)), 7) == marks(rhythm(targets=(3, 7, 9)), 7)
    assert marks(rhythm("y"), 7) != marks(rhythm(), 7)


def test_marked_is_what_the_slots_say_and_only_while_it_goes_on() -> None:
    made = rhythm(at_us=30_000, lasts_us=400_000)
    spans = [(begin, end) for target, begin, end in made.slots() if target == 7]
    assert len(spans) == 20
    for t_us in range(0, 600_000, 1_000):
        assert made.is_marked(7, t_us) == any(begin <= t_us < end for begin, end in spans)
    assert not made.is_marked(99, 100_000)
    assert made.is_on(30_000)
    assert not made.is_on(430_000)


def test_the_last_slot_ends_with_the_interference() -> None:
    made = rhythm(at_us=0, lasts_us=25_000, share_prob=1.0)
    assert [end for _, _, end in made.slots()][:3] == [10_000, 20_000, 25_000]
    assert not list(rhythm(at_us=2_000_000).slots())


def test_the_next_marked_moment_is_the_first_that_is_not_before() -> None:
    made = Rhythm("x", Isolate(slot_us=10_000, lasts_us=50_000, share_prob=0.4), (7,), Seeds(3), 10**6)
    starts = marks(made, 7)
    for t_us in range(0, 50_000, 500):
        found = made.next_marked_us(7, t_us)
        if made.is_marked(7, t_us):
            assert found == t_us
        else:
            assert found == next((start for start in starts if start > t_us), 50_000)
    assert made.next_marked_us(7, 60_000) == 60_000


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_or_everything(share: float) -> None:
    made = rhythm(share_prob=share)
    assert made.is_marked(7, 5) == bool(share)
