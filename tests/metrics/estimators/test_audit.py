"""The lower bound of eps is a bound."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sessionsim.metrics.estimators.audit import epsilon_bound


def test_the_published_case() -> None:
    assert epsilon_bound(0, 1000, 500, 1000) == pytest.approx(4.85, abs=0.01)


def test_it_stays_below_the_truth_where_the_naive_ratio_does_not() -> None:
    # Randomised response with eps = 1: says the truth with probability e/(1+e).
    rng, eps, n = np.random.default_rng(1), 1.0, 400
    lie = 1 / (1 + math.e)
    over = naive = 0
    for _ in range(300):
        alarms, misses = rng.binomial(n, lie), rng.binomial(n, lie)
        over += epsilon_bound(int(alarms), n, int(misses), n) > eps
        naive += math.log((1 - misses / n) / (alarms / n)) > eps
    assert over <= 15
    assert naive > 100


def test_a_useless_test_shows_nothing() -> None:
    assert epsilon_bound(500, 1000, 500, 1000) == 0
    assert epsilon_bound(0, 1000, 500, 1000, delta=0.9) < epsilon_bound(0, 1000, 500, 1000)
