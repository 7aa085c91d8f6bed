"""Proportions: intervals for display and for guarantees, and what no event at all allows to say."""

from __future__ import annotations

import math

import scipy

from sessionsim.metrics._estimate import LEVEL


def wilson(hits: float, trials: int) -> tuple[float, float]:
    """Give the 95 % Wilson interval of a proportion, for display.

    Hits need not be whole: of a trial that ends in a tie a part counts.

    Source: Wilson, JASA 22, 1927, equation 8.
    """
    value, z = hits / trials, float(scipy.stats.norm.ppf(0.5 + LEVEL / 2))
    shrink = 1 + z**2 / trials
    centre = (value + z**2 / (2 * trials)) / shrink
    half = z / shrink * math.sqrt(value * (1 - value) / trials + z**2 / (4 * trials**2))
    return min(max(0.0, centre - half), value), max(min(1.0, centre + half), value)


def clopper_pearson(hits: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Give the exact interval of a proportion, for guarantees; `level` is its coverage, at least."""
    ends = scipy.stats.binomtest(hits, trials).proportion_ci(level, method="exact")
    return float(ends.low), float(ends.high)


def zero_event_bound(n: int) -> float:
    """Give the 95 % upper bound of a probability of which n trials showed no case; about 3/n."""
    return float(1 - (1 - LEVEL) ** (1 / n))


def trials_for_zero(bound: float) -> int:
    """Give how many trials without a case are needed to claim a probability of at most `bound`, in (0, 1).

    Source: metrics 0.3; 1e-3 takes 2,995, 1e-5 takes 299,572.
    """
    return math.ceil(math.log(1 - LEVEL) / math.log1p(-bound))


def trials_for_half_width(prob: float, half_width: float) -> int:
    """Give how many trials make the 95 % normal interval of a proportion this narrow.

    Args:
        prob: the proportion expected, 0..1; 0.5 is the worst case.
        half_width: half the length of the interval, above 0.
    """
    z = float(scipy.stats.norm.ppf(0.5 + LEVEL / 2))
    return math.ceil(prob * (1 - prob) * (z / half_width) ** 2)
