"""One comparison of a check: what must come out, what came out, how far apart they may be, and why so far.

Where something is drawn, the tolerance is that of chance: as many standard errors as a normal value exceeds
once in 150,000 times (Student's law over few runs), or the same level of the binomial law. With about a
hundred comparisons a wrong alarm comes once in some thousand seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy

# Assumption: a normal value is this far off once in 150,000 times.
DEVIATIONS: Final = 4.5
_LEVEL: Final = float(2 * scipy.stats.norm.cdf(DEVIATIONS) - 1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison. Args: below, above: how far `got` may be from `expected`; basis: where that is from."""

    what: str
    expected: float
    got: float
    below: float
    above: float
    basis: str

    @property
    def passed(self) -> bool:
        """Tell whether it came out; what is no number has not."""
        return self.expected - self.below <= self.got <= self.expected + self.above

    def __str__(self) -> str:
        tolerance = (
            f"±{_short(self.below)}"
            if self.below == self.above
            else f"-{_short(self.below)} +{_short(self.above)}"
        )
        return (
            f"{'pass' if self.passed else 'FAIL'}  {self.what}: expected {self.expected:.6g}, got "
            f"{self.got:.6g}, tolerance {tolerance} ({self.basis})"
        )


def _short(value: float) -> str:
    return f"{value:.3g}"


def near(what: str, expected: float, got: float, tolerance: float, basis: str) -> Finding:
    """Compare with a stated tolerance."""
    return Finding(what, float(expected), float(got), tolerance, tolerance, basis)


def formula(what: str, expected: float, got: float, relative: float = 1e-9) -> Finding:
    """Compare two ways to the same exact number."""
    tolerance = relative * max(1.0, abs(float(expected)))
    return Finding(what, float(expected), float(got), tolerance, tolerance, "arithmetic")


def published(what: str, value: float, got: float, tolerance: float) -> Finding:
    """Hold a closed form or a simulation against the number of the specification."""
    return Finding(f"{what}, published", value, float(got), tolerance, tolerance, "as published")


def by_mean(
    what: str, expected: float, samples: npt.ArrayLike, slack: float = 0.0, least: float = 0.0
) -> Finding:
    """Compare the mean of independent samples with its expectation.

    Args:
        samples: one number per independent run, at least 2. slack: a known error of the closed form.
        least: a standard error that is known to be there, for samples that hardly ever differ.
    """
    array = np.asarray(samples, dtype=np.float64)
    error = max(least, float(array.std(ddof=1) / math.sqrt(len(array))))
    # Few runs know their own spread badly: Student's law instead of the normal one.
    wide = float(scipy.stats.t(len(array) - 1).ppf((1 + _LEVEL) / 2))
    basis = f"{wide:.2g} standard errors over {len(array)} runs"
    basis += f" and {_short(slack)} for the closed form" if slack else ""
    # Equal samples have no spread; what is left is rounding.
    tolerance = wide * error + slack + 1e-9 * max(1.0, abs(expected))
    return Finding(what, float(expected), float(array.mean()), tolerance, tolerance, basis)


def by_count(what: str, probability: float, hits: float, trials: int, slack: float = 0.0) -> Finding:
    """Compare a share of independent trials with its probability, by the binomial law.

    Args:
        slack: a known error of the closed form.
    """
    p = min(max(float(probability), 0.0), 1.0)
    low, high = scipy.stats.binom(trials, p).interval(_LEVEL)
    basis = f"binomial, {trials} trials, one false alarm in 150,000"
    basis += f", and {_short(slack)} for the closed form" if slack else ""
    return Finding(
        what,
        p,
        float(hits) / trials,
        p - float(low) / trials + slack,
        float(high) / trials - p + slack,
        basis,
    )


def at_most(what: str, bound: float, got: float, basis: str) -> Finding:
    """Require that something is not above a bound."""
    return Finding(f"{what}, at most", float(bound), float(got), math.inf, 0.0, basis)


def at_least(what: str, bound: float, got: float, basis: str) -> Finding:
    """Require that something is not below a bound."""
    return Finding(f"{what}, at least", float(bound), float(got), 0.0, math.inf, basis)


def number_of(what: str, expected: int, got: int) -> Finding:
    """Compare two counts that must be equal."""
    return Finding(what, expected, got, 0.0, 0.0, "exact")


def described(finding: Finding) -> dict[str, Any]:
    """Give a finding as plain values, for JSON; an infinite tolerance is null."""
    return {
        "what": finding.what,
        "expected": finding.expected,
        "got": finding.got,
        "below": None if math.isinf(finding.below) else finding.below,
        "above": None if math.isinf(finding.above) else finding.above,
        "basis": finding.basis,
        "passed": finding.passed,
    }
