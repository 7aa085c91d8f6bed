"""Detection of a shift between two normal scores, and coincidence with a Poisson background (metrics 2b)."""

from __future__ import annotations

import math
from statistics import NormalDist

_STANDARD = NormalDist()


def normal_area(shift: float) -> float:
    """AUC of two unit normals `shift` apart."""
    return _STANDARD.cdf(shift / math.sqrt(2))


def normal_tpr(shift: float, fpr: float) -> float:
    """TPR at a false-positive rate of two unit normals `shift` apart."""
    return 1 - _STANDARD.cdf(_STANDARD.inv_cdf(1 - fpr) - shift)


def no_rival_prob(rate: float, window: float) -> float:
    """Probability that no event of a Poisson background falls into a window: exp(-b W)."""
    return math.exp(-rate * window)
