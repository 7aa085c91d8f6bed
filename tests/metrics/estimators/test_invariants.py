"""The invariants hold for what is right and catch what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.estimators import entropies, invariants
from sessionsim.metrics.estimators.proportions import trials_for_half_width, trials_for_zero, wilson


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 12), st.floats(0.05, 5))
def test_random_channels_break_nothing(seed: int, secrets: int, outputs: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    prior = rng.dirichlet(np.full(secrets, spread))
    first, second = (rng.dirichlet(np.full(outputs, spread), size=secrets) for _ in range(2))
    assert invariants.of_distribution(first) == []
    assert invariants.of_channel(first, prior) == []
    assert invariants.of_coarsening(first, rng.integers(max(1, outputs // 2), size=outputs), prior) == []
    assert invariants.of_joining(first, second, prior) == []


def test_a_wrong_entropy_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    p = np.array([0.5, 0.25, 0.25])
    monkeypatch.setattr(invariants, "shannon", lambda q: entropies.shannon(q) * 1.2)
    assert invariants.of_distribution(p) == ["H <= log N"]
    monkeypatch.setattr(invariants, "shannon", lambda q: entropies.shannon(q) / 3)
    assert invariants.of_distribution(p) == ["H_2 <= H"]


def test_a_wrong_leakage_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, prior = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0.5, 0.5])
    monkeypatch.setattr(invariants.channels, "leakage_bits", lambda *_: 1.5)
    assert invariants.of_channel(channel, prior) == ["leakage <= min-capacity"]


def test_a_coalition_that_forgets_is_caught() -> None:
    assert invariants.of_growing([0.1, 0.1, 0.4]) == []
    with pytest.raises(LocalProtocolError, match="larger coalition"):
        invariants.enforce(invariants.of_growing([0.1, 0.3, 0.2]), "reading")
    invariants.enforce([], "reading")


def test_fano_by_hand() -> None:
    assert invariants.fano_bound(0, 10) == 0
    assert invariants.fano_bound(0.5, 2) == pytest.approx(1)
    assert invariants.fano_bound(0.9, 10) == pytest.approx(np.log2(10))


@pytest.mark.parametrize(("bound", "trials"), [(1e-3, 2_995), (1e-4, 29_956), (1e-5, 299_572)])
def test_trials_without_a_case(bound: float, trials: int) -> None:
    assert trials_for_zero(bound) == trials


def test_trials_for_a_width_make_that_width() -> None:
    n = trials_for_half_width(0.3, 0.02)
    low, high = wilson(round(0.3 * n), n)
    assert (high - low) / 2 == pytest.approx(0.02, rel=0.02)
