"""Transmissions over cut, lossy and slow links, against times worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.seeds import mix
from sessionsim.network.faults.passage import RTO_MAX_US, Passage, duration_us
from sessionsim.network.faults.plan import FOREVER_US, Extra, Plan, Way

S = 1_000_000


def ways(*made: Way, horizon_us: int = 3600 * S) -> Passage:
    passage = Passage(Plan((), made, horizon_us))
    for way in made:
        passage.begin(way)
    return passage


def cut(begin_us: int, end_us: int) -> Way:
    return Way(begin_us, end_us, frozenset({1}), True, 0.0, None, 5)


def lossy(prob: float, end_us: int = FOREVER_US, struck: frozenset[int] | None = None) -> Way:
    return Way(0, end_us, struck, False, prob, None, 6)


def test_a_cut_link_lets_the_first_repeat_after_its_end_through() -> None:
    passage = ways(cut(10 * S, 20 * S))
    assert passage.extra_us(0, 1, 9 * S, S, 1, 77) == 0
    # Sent again after 1, 3, 7 and 15 s.
    assert passage.extra_us(0, 1, 10 * S, S, 1, 77) == 15 * S
    assert passage.extra_us(1, 0, 19 * S, S, 1, 77) == S
    assert passage.extra_us(0, 1, 19 * S + 1, S, 1, 77) == S
    assert passage.extra_us(0, 1, 20 * S, S, 1, 77) == 0
    assert passage.extra_us(0, 2, 15 * S, S, 1, 77) == 0
    # Sent again after 0.3, 0.9, 2.1, 4.5 and 9.3 s.
    assert passage.extra_us(0, 1, 12 * S, 300_000, 1, 77) == 9_300_000


def test_the_time_out_grows_to_two_minutes_only() -> None:
    passage = ways(cut(0, 1000 * S))
    waits = [min(S << k, RTO_MAX_US) for k in range(20)]
    sums = np.cumsum(waits)
    assert passage.extra_us(0, 1, 0, S, 1, 77) == sums[sums >= 1000 * S][0] == 1087 * S


def test_what_cannot_get_through_before_the_end_never_arrives() -> None:
    assert ways(cut(0, FOREVER_US)).extra_us(0, 1, 5, S, 1, 77) is None
    assert ways(cut(0, 20 * S), horizon_us=19 * S).extra_us(0, 1, 0, S, 1, 77) is None
    assert ways(lossy(1.0)).extra_us(0, 1, 0, S, 1, 77) is None


def test_losses_have_the_share_told_and_hold_up_a_whole_transmission() -> None:
    passage, n = ways(lossy(0.2)), 20_000
    for segments in (1, 3):
        extra = np.array([passage.extra_us(0, 1, 0, S, segments, mix(9, k)) for k in range(n)])
        through = 0.8**segments
        for repeats, share in enumerate((through, (1 - through) * 0.8, (1 - through) * 0.2 * 0.8)):
            found = (extra == ((1 << repeats) - 1) * S).mean()
            assert found == pytest.approx(share, abs=4 * (share * (1 - share) / n) ** 0.5)


def test_losses_of_two_spells_add_up_and_touch_only_the_struck() -> None:
    passage = ways(lossy(0.5), lossy(0.5, struck=frozenset({1})))
    lost = [passage.extra_us(0, 1, 0, S, 1, mix(1, k)) != 0 for k in range(4000)]
    assert np.mean(lost) == pytest.approx(0.75, abs=0.03)
    lost = [passage.extra_us(0, 2, 0, S, 1, mix(1, k)) != 0 for k in range(4000)]
    assert np.mean(lost) == pytest.approx(0.5, abs=0.03)


def test_delays_are_fixed_or_exponential_and_come_on_top() -> None:
    fixed = Way(0, FOREVER_US, None, False, 0.0, Extra(7, False, 3), 3)
    varied = Way(0, FOREVER_US, None, False, 0.0, Extra(1000, True, 4), 4)
    assert ways(fixed).extra_us(0, 1, 0, S, 1, 77) == 7
    assert ways(cut(0, 2 * S), fixed).extra_us(0, 1, S, S, 1, 77) == S + 7
    drawn = np.array([ways(varied).extra_us(0, 1, 0, S, 1, mix(2, k)) for k in range(5000)])
    assert drawn.mean() == pytest.approx(1000, abs=4 * 1000 / 5000**0.5)
    assert drawn.std() == pytest.approx(1000, rel=0.1)
    both = ways(fixed, varied).extra_us(0, 1, 0, S, 1, 77)
    assert both == 7 + duration_us(Extra(1000, True, 4), 77)


def test_where_no_spell_is_on_nothing_is_drawn() -> None:
    passage = ways(lossy(1.0, end_us=10))
    passage.end(lossy(1.0, end_us=10))
    assert passage.extra_us(0, 1, 11, S, 1, 77) == 0


def test_the_answer_depends_on_the_transmission_alone() -> None:
    passage = ways(lossy(0.5))
    first = [passage.extra_us(0, 1, 0, S, 1, mix(1, k)) for k in range(50)]
    again = [passage.extra_us(0, 1, 0, S, 1, mix(1, k)) for k in reversed(range(50))]
    assert first == again[::-1]
