"""The k-NN Bayes risk on a channel whose risk is known, where counting and one neighbour fail."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.closed_forms.channels import geometric_bayes_risk
from sessionsim.metrics.estimators.bayes_risk import bayes_risk, cover_hart, held_out_risk, neighbours_to_scan

Sample = tuple[np.ndarray, np.ndarray]


def draw(
    n: int, rng: np.random.Generator, secrets: int = 20, spacing: float = 10, rate: float = 0.1
) -> Sample:
    secret = rng.integers(secrets, size=n)
    return secret, secret * spacing + rng.laplace(0, 1 / rate, n)


def test_many_neighbours_find_the_risk_and_one_neighbour_does_not() -> None:
    rng = np.random.default_rng(1)
    truth = geometric_bayes_risk(20, 10, 0.1)
    train, test = draw(20_000, rng), draw(10_000, rng)
    many, one = (held_out_risk(train, test, k) for k in (141, 1))
    assert many.value == pytest.approx(truth, abs=0.02)
    assert one.value > truth + 0.08
    assert cover_hart(20, one.value) < truth
    # Counting exact observations never meets one twice: it would call the channel safe.
    assert not np.isin(test[1], train[1]).any()


def test_k_is_chosen_on_a_part_that_judges_nothing() -> None:
    rng = np.random.default_rng(2)
    found = bayes_risk(*draw(40_000, rng), rng)
    assert found.k in neighbours_to_scan(20_000, 20)
    assert (found.n, found.tested) == (20_000, 10_000)
    assert found.value == pytest.approx(geometric_bayes_risk(20, 10, 0.1), abs=0.02)
    assert found.low < found.value < found.high


def test_features_are_standardised() -> None:
    rng = np.random.default_rng(3)
    secret = rng.integers(2, size=4000)
    useful, noise = secret + 0.1 * rng.normal(size=4000), 1e6 * rng.normal(size=4000)
    columns = np.column_stack([useful, noise])
    assert held_out_risk((secret[:3000], columns[:3000]), (secret[3000:], columns[3000:]), 15).value < 0.05


def test_a_useless_observation_leaves_the_blind_guess() -> None:
    rng = np.random.default_rng(4)
    secret, seen = rng.integers(4, size=8000), rng.normal(size=8000)
    assert bayes_risk(secret, seen, rng).value == pytest.approx(0.75, abs=0.04)


def test_more_neighbours_than_samples_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        held_out_risk(([0, 1], [0.0, 1.0]), ([0], [0.0]), 3)
