"""Exact expectations of the plug-in entropy and of what is built on it, for uniform bins.

With n samples over K equally likely bins each count is binomial (n, 1/K), and expectation adds over bins
whatever their dependence: E[H] = -K E[(X/n) log2(X/n)]. Under independence of two uniform variables the
plug-in mutual information is a sum of three such entropies, so its expectation is exact as well. These are
the numbers of metrics 1.2(1) and (2), for any K and n.
"""

from __future__ import annotations

import math

import numpy as np
import scipy


def plug_in_bits(bins: int, samples: int) -> float:
    """Expected plug-in entropy of `samples` draws from `bins` equally likely values, bits."""
    if bins == 1:
        return 0.0
    law = scipy.stats.binom(samples, 1 / bins)
    low, high = law.interval(1 - 1e-15)
    x = np.arange(max(1, int(low) - 1), min(samples, int(high) + 1) + 1)
    share = x / samples
    return float(-bins * (law.pmf(x) * share * np.log2(share)).sum())


def bins_met(bins: int, samples: int) -> float:
    """Expected number of bins with at least one sample."""
    return bins * -math.expm1(samples * math.log1p(-1 / bins)) if bins > 1 else 1.0


def miller_madow_bits(bins: int, samples: int) -> float:
    """Expected Miller-Madow entropy, bits."""
    return plug_in_bits(bins, samples) + (bins_met(bins, samples) - 1) / (2 * samples * math.log(2))


def null_information_bits(rows: int, columns: int, samples: int) -> float:
    """Expected plug-in mutual information of two independent uniform variables, bits."""
    return (
        plug_in_bits(rows, samples) + plug_in_bits(columns, samples) - plug_in_bits(rows * columns, samples)
    )
