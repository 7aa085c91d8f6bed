"""Times to an event: those never met are censored, not safe and not absent."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.metrics.estimators.survival import numbers_at_risk, survival


def test_kaplan_meier_by_hand() -> None:
    # At 1: 6 at risk, 5/6. At 2: 5 at risk, 4/6. One censored at 3. At 4: 3 at risk, 4/9. At 5: 2, 2/9.
    curve = survival([1, 2, 3, 4, 5, 5], [1, 1, 0, 1, 0, 1])
    assert curve.time.tolist() == [0, 1, 2, 3, 4, 5]
    assert curve.alive == pytest.approx([1, 5 / 6, 4 / 6, 4 / 6, 4 / 9, 2 / 9])
    assert numbers_at_risk(curve, [0, 2.5, 4, 5, 6]).tolist() == [6, 4, 3, 2, 0]
    assert curve.reached(4).value is None  # six accounts
    assert str(curve.reached(4)) == "not enough data: 6 accounts, 10 would do"
    assert str(curve.reached(9)) == "not enough data: 0 accounts with so long a watch, 10 would do"
    assert str(curve.median()) == "not enough data: 6 accounts, 10 would do"


def test_without_half_there_is_no_median_and_more_accounts_would_not_help() -> None:
    few = survival(np.arange(1, 21), np.arange(20) < 4)
    assert str(few.median()) == "not enough data: 4 accounts that met it, 10 would do"


def test_exponential_times_with_censoring_come_out_right_where_the_naive_mean_does_not() -> None:
    rng = np.random.default_rng(1)
    true, watch = rng.exponential(30, 4000), rng.uniform(5, 60, 4000)
    curve = survival(np.minimum(true, watch), true <= watch)
    median = curve.median()
    assert median.value == pytest.approx(30 * np.log(2), rel=0.06)
    assert median.low is not None
    assert median.high is not None
    assert median.low < 30 * np.log(2) < median.high
    for day in (1, 14, 30):
        found = curve.reached(day)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= 1 - np.exp(-day / 30) <= found.high
    assert np.median(true[true <= watch]) < 14  # leaving the censored out
    assert np.mean(true <= watch) < curve.reached(55).value  # type: ignore[operator]


def test_greenwood_covers_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(2), 0
    for _ in range(150):
        true = rng.exponential(1, 80)
        found = survival(np.minimum(true, 1.5), true <= 1.5).reached(1.0)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 1 - np.exp(-1) <= found.high
    assert 134 <= hits <= 149


def test_nothing_is_said_beyond_the_longest_watch() -> None:
    curve = survival(np.full(50, 30.0), np.zeros(50, dtype=bool))
    assert curve.reached(31).value is None
    none = curve.reached(30)
    assert (none.value, none.low) == (0, 0)
    assert none.high == pytest.approx(1 - 0.05 ** (1 / 50))
    assert curve.median().value is None


def test_everybody_met_it() -> None:
    found = survival(np.arange(1.0, 21), np.ones(20, dtype=bool)).reached(20)
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.05 ** (1 / 20))
