"""Quorums and nodes that are off: waits worked out by hand, and their law."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.units import US_PER_H, US_PER_MIN
from sessionsim.protocol.obligations import ObligationRules, Verdicts, verdicts

RULES = ObligationRules()
BLOCK = 2 * US_PER_MIN
ALL = ObligationRules(tested_share_prob=1.0)  # every node is voted on in every block


def judged(begin_min: float, end_min: float, rules: ObligationRules = ALL) -> Verdicts | None:
    begin, end = int(begin_min * US_PER_MIN), int(end_min * US_PER_MIN)
    return verdicts(begin, end, BLOCK, 1000, rules, 0.5, 0.5)


def test_a_node_is_taken_out_at_the_first_block_after_65_minutes_and_back_when_it_works() -> None:
    # Off from minute 10 to 200: out at block 38 (minute 76), back at block 100.
    assert judged(10, 200) == Verdicts(38, 100, None)
    assert judged(11, 200) == Verdicts(38, 100, None)
    assert judged(11.1, 201) == Verdicts(39, 101, None)


def test_who_returns_in_time_is_not_noticed() -> None:
    assert judged(10, 76) is None
    assert judged(10, 76.1) == Verdicts(38, 39, None)


def test_credit_that_is_used_up_ends_in_removal() -> None:
    out = judged(0, 100_000)
    assert out == Verdicts(33, None, 33 + 48 * 30)
    short = ObligationRules(tested_share_prob=1.0, credit_us=10 * US_PER_MIN)
    assert judged(10, 84, short) == Verdicts(38, 42, None)
    assert judged(10, 86, short) == Verdicts(38, None, 43)


@pytest.mark.parametrize(("count", "prob"), [(1262, 50 / 1262), (10_000, 0.01), (40, 1.0), (0, 1.0)])
def test_fifty_nodes_or_a_hundredth_are_voted_on_in_a_block(count: int, prob: float) -> None:
    assert RULES.tested_prob(count) == pytest.approx(prob)


def test_waits_for_a_vote_are_geometric() -> None:
    draws = (np.arange(20_000) + 0.5) / 20_000
    found = [verdicts(0, 1000 * US_PER_H, BLOCK, 1000, RULES, draw, 0.5) for draw in draws]
    waits = np.array([one.out for one in found if one is not None]) - 33
    assert len(waits) == len(draws)
    assert waits.min() == 0
    assert (waits == 0).mean() == pytest.approx(0.05, abs=0.001)
    assert waits.mean() == pytest.approx(0.95 / 0.05, rel=0.01)
    back = [verdicts(0, 10 * US_PER_H, BLOCK, 1000, RULES, 1.0, draw) for draw in draws]
    waits = np.array([one.back for one in back if one is not None and one.back is not None]) - 300
    assert waits.mean() == pytest.approx(19, rel=0.01)
