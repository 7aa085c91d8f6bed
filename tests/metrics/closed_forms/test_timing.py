"""The timing channel: published values, limits, and the same numbers by other ways."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from sessionsim.metrics.closed_forms import timing


@pytest.mark.parametrize(("hops", "bits"), [(1, 1.4427), (2, 2.2754), (3, 2.6655)])
def test_entropy_of_the_delay_is_the_published_one(hops: int, bits: float) -> None:
    assert timing.erlang(hops, 1).entropy_bits == pytest.approx(bits, abs=1e-4)
    # Twice as fast is one bit less.
    assert timing.erlang(hops, 2).entropy_bits == pytest.approx(bits - 1, abs=1e-4)


@pytest.mark.parametrize(
    ("hops", "rate", "simulated", "limit"),
    [(3, 50, 8.315, 8.309), (3, 5, 5.013, 4.987), (1, 50, 7.092, 7.087)],
)
def test_exact_entropy_lies_at_the_published_simulation(
    hops: int, rate: float, simulated: float, limit: float
) -> None:
    law = timing.erlang(hops, 1)
    assert timing.entropy_bits(rate, law) == pytest.approx(simulated, abs=0.004)
    assert timing.asymptotic_bits(rate, law) == pytest.approx(limit, abs=1e-3)


@pytest.mark.parametrize(
    ("rate", "bits", "right"), [(1, 0.210, 0.925), (10, 1.480, 0.523), (100, 4.41, 0.079)]
)
def test_jitter_has_the_published_values(rate: float, bits: float, right: float) -> None:
    law = timing.normal(0.05)
    assert timing.entropy_bits(rate, law) == pytest.approx(bits, abs=1e-3)
    assert timing.vulnerability(rate, law) == pytest.approx(right, abs=1e-3)
    assert timing.normal_vulnerability(rate, 0.05) == pytest.approx(timing.vulnerability(rate, law), abs=1e-6)


def test_exact_entropy_nears_the_limit_and_does_not_go_below_zero_where_the_limit_does() -> None:
    law = timing.normal(0.05)
    assert timing.entropy_bits(2000, law) == pytest.approx(timing.asymptotic_bits(2000, law), abs=3e-3)
    assert timing.asymptotic_bits(1, law) < -2  # the naive formula
    assert 0 < timing.entropy_bits(0.001, law) < 0.01


def test_guessing_exponential_delays_by_hand() -> None:
    # The best guess is the latest input; it is right if none came in between: mu / (mu + lambda).
    for rate in (0.1, 3, 50):
        assert timing.vulnerability(rate, timing.erlang(1, 2)) == pytest.approx(2 / (2 + rate), rel=1e-5)


def test_guessing_erlang_delays_by_finding_the_level_sets() -> None:
    density, rate = stats.gamma(3).pdf, 50.0
    top = float(density(2.0))

    def width(level: float) -> float:
        low = optimize.brentq(lambda u: density(u) - level, 1e-12, 2)
        return float(optimize.brentq(lambda u: density(u) - level, 2, 80) - low)

    t = np.linspace(0, 1, 4001)
    inner = [(1 - np.exp(-rate * width(top * (1 - s * s)))) / rate for s in t[1:-1]]
    kept = np.array([0.0, *inner, 1 / rate])
    expected = np.trapezoid(kept * 2 * top * t, t)
    assert timing.vulnerability(rate, timing.erlang(3, 1)) == pytest.approx(expected, rel=5e-4)


def test_only_rate_times_scale_matters() -> None:
    a, b = timing.entropy_bits(20, timing.erlang(2, 1)), timing.entropy_bits(200, timing.erlang(2, 10))
    assert a == pytest.approx(b, abs=1e-6)
