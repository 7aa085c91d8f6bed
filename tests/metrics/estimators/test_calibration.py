"""Posteriors that claim too much do not become entropies."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.metrics.estimators import entropies
from sessionsim.metrics.estimators.calibration import NotCalibrated, check, posteriors, recalibrate


def honest(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors over four candidates whose truth is drawn from them."""
    p = rng.dirichlet(np.ones(4), size=n)
    return p, (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


def sharpened(p: np.ndarray, power: float = 4.0) -> np.ndarray:
    sharp = p**power
    return sharp / sharp.sum(axis=1, keepdims=True)


def test_honest_posteriors_pass() -> None:
    rng = np.random.default_rng(1)
    p, truth = honest(4000, rng)
    accounts = np.arange(4000) % 200
    found = check(p, truth, accounts)
    assert found.holds
    assert found.expected_error < 0.03
    assert found.came_true == pytest.approx(found.claimed, abs=0.03)
    assert posteriors(p, truth, accounts) is not None


def test_overconfidence_fakes_low_entropy_and_is_stopped() -> None:
    rng = np.random.default_rng(2)
    p, truth = honest(4000, rng)
    accounts = np.arange(4000) % 200
    proud = sharpened(p)
    assert entropies.shannon(proud).mean() < 0.6 * entropies.shannon(p).mean()  # what would be reported
    assert not check(proud, truth, accounts).holds
    assert check(proud, truth, accounts).brier > check(p, truth, accounts).brier
    with pytest.raises(NotCalibrated, match="claims"):
        posteriors(proud, truth, accounts)


def test_recalibration_on_training_seeds_repairs_it() -> None:
    rng = np.random.default_rng(3)
    (p, truth), (q, other) = honest(6000, rng), honest(6000, rng)
    repaired = recalibrate(sharpened(p), truth, sharpened(q))
    assert repaired.sum(axis=1) == pytest.approx(1)
    before, after = (check(x, other, np.arange(6000) % 300) for x in (sharpened(q), repaired))
    assert after.expected_error < before.expected_error / 2
    assert abs(after.came_true - after.claimed) < abs(before.came_true - before.claimed) / 3


def test_honest_posteriors_pass_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(4)
    passed = sum(check(*honest(300, rng), np.arange(300) % 30).holds for _ in range(200))
    assert 180 <= passed <= 199


def test_one_account_cannot_show_calibration() -> None:
    p, truth = honest(100, np.random.default_rng(5))
    found = check(p, truth, np.zeros(100))
    assert (found.holds, found.needed) == (False, 3)
    with pytest.raises(NotCalibrated, match="not enough data"):
        posteriors(p, truth, np.zeros(100))


def test_messages_of_one_account_do_not_count_as_independent() -> None:
    # Each account is right always or never; by messages the interval would be ten times too narrow.
    rng = np.random.default_rng(6)
    right = rng.random(20) < 0.62
    accounts = np.repeat(np.arange(20), 100)
    p = np.tile([0.5, 0.5], (2000, 1))
    truth = np.where(right[accounts], 0, 1)
    assert check(p, truth, accounts).holds
    assert not check(p, truth, np.arange(2000)).holds


def test_a_truth_outside_the_candidates_counts_against_the_claim() -> None:
    p = np.tile([0.9, 0.1], (300, 1))
    assert not check(p, np.full(300, -1), np.arange(300)).holds
