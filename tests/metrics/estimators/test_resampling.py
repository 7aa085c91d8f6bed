"""The cluster bootstrap: accounts, not messages."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.metrics.estimators.resampling import bca, cluster_bootstrap


def test_interval_covers_where_resampling_messages_does_not() -> None:
    rng = np.random.default_rng(1)
    hits = naive = 0
    for _ in range(60):
        accounts = np.repeat(np.arange(25), 20)
        values = rng.normal(0, 1, 25)[accounts] + rng.normal(0, 0.3, 500)

        def mean(rows: np.ndarray, values: np.ndarray = values) -> float:
            return float(values[rows].mean())

        found = cluster_bootstrap(accounts, mean, rng, 400)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0 <= found.high
        half = 1.96 * values.std() / np.sqrt(500)
        naive += abs(values.mean()) <= half
    assert hits >= 51
    assert naive < 40


def test_few_accounts_give_no_value() -> None:
    found = cluster_bootstrap(np.arange(9), lambda rows: float(len(rows)), np.random.default_rng(1))
    assert (found.value, found.needed, found.n_unit) == (None, 10, "account")


def test_bca_is_the_percentile_interval_without_bias_or_skew() -> None:
    drawn = np.linspace(-1, 1, 2001)
    low, high = bca(0.0, drawn, np.array([-1.0, 0, 1]))
    assert (low, high) == pytest.approx((-0.95, 0.95), abs=2e-3)
    assert bca(1.0, np.ones(10), np.ones(3)) == (1, 1)


def test_bca_leans_with_the_skew() -> None:
    rng = np.random.default_rng(2)
    values = rng.exponential(1, 40)
    found = cluster_bootstrap(np.arange(40), lambda rows: float(values[rows].mean()), rng, 2000)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.value > found.value - found.low
