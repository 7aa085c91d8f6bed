from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.workload.draws import Luck
from sessionsim.workload.reading import Reading, ReadingRules, readings, sends_receipts
from sessionsim.workload.spans import union

S = US_PER_S
RULES = ReadingRules()
INSTANT = ReadingRules(reading_median_us=0)
LUCK = Luck(Seeds(1), "r")


def read(
    arrivals: list[int], own: list[int], looks: list[tuple[int, int]], rules: ReadingRules
) -> list[Reading]:
    return list(readings(arrivals, own, looks, rules, LUCK))


def test_by_hand_what_waits_is_read_together_at_the_next_look() -> None:
    """Three messages while nobody looks, one during the look, one after it that nobody sees any more."""
    arrivals = [10 * S, 20 * S, 30 * S, 105 * S, 300 * S]
    found = read(arrivals, [], [(0, 5 * S), (100 * S, 110 * S)], INSTANT)
    assert [(one.first, one.end) for one in found] == [(0, 3), (3, 4)]
    assert found[0].t_us == pytest.approx(100 * S, abs=10)
    assert found[1].t_us == pytest.approx(105 * S, abs=10)


def test_a_look_in_which_the_message_comes_is_enough() -> None:
    (one,) = read([50 * S], [], [(40 * S, 60 * S)], RULES)
    assert 50 * S <= one.t_us < 60 * S


def test_nobody_answers_unread() -> None:
    slow = ReadingRules(reading_median_us=1000 * S)
    (one,) = read([50 * S], [52 * S], [(40 * S, 5000 * S)], slow)
    assert one.t_us == 52 * S


def test_what_nobody_looks_at_stays_unread() -> None:
    assert read([50 * S], [], [(10 * S, 20 * S)], RULES) == []
    assert read([], [], [(10 * S, 20 * S)], RULES) == []


def test_the_median_is_that_of_the_setting() -> None:
    arrivals = [k * 10_000 * S for k in range(4000)]
    found = read(arrivals, [], [(0, 10**15)], RULES)
    waits = [(one.t_us - arrivals[one.first]) / S for one in found]
    assert len(found) == 4000
    assert np.median(waits) == pytest.approx(4, rel=0.06)


def test_half_of_the_accounts_send_receipts() -> None:
    assert np.mean([sends_receipts(RULES, Seeds(1), a) for a in range(3000)]) == pytest.approx(0.5, abs=0.03)


moments = st.lists(st.integers(0, 200), max_size=12)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    came=moments, own=moments, looks=st.lists(st.tuples(moments.map(sum), st.integers(0, 40)), max_size=6),
    median_s=st.integers(0, 50),
)  # fmt: skip
def test_everything_is_read_once_in_order_and_while_looking(
    came: list[int], own: list[int], looks: list[tuple[int, int]], median_s: int
) -> None:
    arrivals = [t * S for t in sorted(came)]
    attention = union((begin * S, (begin + length) * S) for begin, length in looks)
    words = [t * S for t in sorted(own)]
    found = read(arrivals, words, attention, ReadingRules(reading_median_us=median_s * S))
    assert [place for one in found for place in range(one.first, one.end)] == list(
        range(found[-1].end if found else 0)
    )
    for one in found:
        assert arrivals[one.end - 1] <= one.t_us
        assert one.end == len(arrivals) or arrivals[one.end] > one.t_us
        looking = any(begin <= one.t_us < end for begin, end in attention)
        # Who writes without having looked has at least seen what was there.
        assert looking or one.t_us in words
    seen = [t for t in arrivals if any(end > t for _, end in attention)]
    assert (found[-1].end if found else 0) == len(seen)
