"""Channels against their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sessionsim.metrics.closed_forms import channels as known
from sessionsim.metrics.estimators import channels

HALF = channels.uniform(2)


def symmetric(p: float) -> np.ndarray:
    return np.array([[1 - p, p], [p, 1 - p]])


@pytest.mark.parametrize(
    ("p", "capacity", "leakage", "eps"), [(0.1, 0.5310, 0.8480, 2.197), (0.25, 0.1887, 0.5850, 1.0986)]
)
def test_the_symmetric_channel_has_the_published_values(
    p: float, capacity: float, leakage: float, eps: float
) -> None:
    assert channels.capacity_bits(symmetric(p)) == pytest.approx(capacity, abs=1e-4)
    assert channels.leakage_bits(symmetric(p), HALF) == pytest.approx(leakage, abs=1e-4)
    assert channels.epsilon(symmetric(p)) == pytest.approx(eps, abs=1e-3)
    assert channels.vulnerability(symmetric(p), HALF) == pytest.approx(1 - p)
    assert channels.bayes_capacity(symmetric(p)) == pytest.approx(2 * (1 - p))
    assert known.symmetric_capacity_bits(p) == pytest.approx(capacity, abs=1e-4)
    assert known.symmetric_leakage_bits(p) == pytest.approx(leakage, abs=1e-4)
    assert known.symmetric_epsilon(p) == pytest.approx(eps, abs=1e-3)


def test_capacity_of_an_asymmetric_channel_is_not_at_the_uniform_prior() -> None:
    # Z channel with error p: log(1 + (1-p) p^(p/(1-p))).
    p = 0.5
    z = np.array([[1, 0], [p, 1 - p]])
    assert channels.capacity_bits(z) == pytest.approx(math.log2(1 + (1 - p) * p ** (p / (1 - p))), abs=1e-6)
    assert channels.information_bits(z, HALF) < channels.capacity_bits(z) - 0.005  # the naive answer
    # Erasure channel: 1 - p.
    assert channels.capacity_bits(np.array([[0.7, 0.3, 0], [0, 0.3, 0.7]])) == pytest.approx(0.7, abs=1e-6)


def test_a_deterministic_observation_leaks_the_log_of_its_outputs() -> None:
    buckets = np.eye(3)[[0, 0, 1, 2, 2, 2]]
    assert channels.min_capacity_bits(buckets) == pytest.approx(math.log2(3))
    assert channels.capacity_bits(buckets) == pytest.approx(math.log2(3), abs=1e-6)
    assert channels.epsilon(buckets) == math.inf


def test_gain_of_guessing_is_the_vulnerability() -> None:
    channel = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    prior = np.array([0.2, 0.5, 0.3])
    assert channels.gain_vulnerability(channel, prior, np.eye(3)) == pytest.approx(
        channels.vulnerability(channel, prior)
    )
    two = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]])  # two guesses allowed
    assert channels.gain_vulnerability(channel, prior, two) > channels.vulnerability(channel, prior)


def test_advantage_is_total_variation() -> None:
    assert channels.advantage([0.5, 0.5, 0], [0, 0.5, 0.5]) == 0.5
    assert channels.advantage([1, 0], [0, 1]) == 1


def test_neighbour_risk_and_its_inverse() -> None:
    from sessionsim.metrics.estimators.bayes_risk import cover_hart

    for secrets, risk, bound in ((2, 0.3, 0.1838), (10, 0.3, 0.1652), (100, 0.6, 0.3686)):
        assert cover_hart(secrets, risk) == pytest.approx(bound, abs=1e-4)
        assert known.neighbour_risk(secrets, cover_hart(secrets, risk)) == pytest.approx(risk)
    assert cover_hart(2, 0.55) == 0.5  # beyond what is possible: sampling noise


@pytest.mark.parametrize(
    ("secrets", "spacing", "rate", "risk"),
    [(100, 100, 1, 0), (100, 100, 0.1, 0.00667), (100, 100, 0.01, 0.6005), (100, 10, 0.2, 0.3642),
     (100, 10, 0.1, 0.6005)],
)  # fmt: skip
def test_geometric_channel_has_the_published_risk(
    secrets: int, spacing: float, rate: float, risk: float
) -> None:
    assert known.geometric_bayes_risk(secrets, spacing, rate) == pytest.approx(risk, abs=5e-5)
