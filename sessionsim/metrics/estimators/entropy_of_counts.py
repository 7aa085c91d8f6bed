"""Entropy from counts: the plug-in, which is biased low, and three corrections (metrics 1.2(1)).

Which to use: with many more samples n than bins K the Miller-Madow term removes nearly all of the bias;
with n near or below K only Chao-Shen (coverage) and Grassberger help, and none is good. So a reading shows
`doubling_curve`: an entropy that still climbs when n doubles is not known yet. Written here because the
libraries that have them cannot be a dependency (metrics section 6).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.errors import LocalProtocolError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _counts(counts: npt.ArrayLike) -> Ints:
    array = np.asarray(counts)
    if array.size == 0 or np.any(array < 0) or array.sum() == 0:
        raise LocalProtocolError("entropy of no sample at all")
    whole: Ints = array[array > 0].astype(np.int64)
    return whole


def plug_in(counts: npt.ArrayLike) -> float:
    """Entropy of the observed shares, bits; its bias is about -(K-1)/(2n ln 2)."""
    seen = _counts(counts)
    n = int(seen.sum())
    return float(math.log2(n) - (seen * np.log2(seen)).sum() / n)


def miller_madow(counts: npt.ArrayLike) -> float:
    """The plug-in plus (m-1)/(2n ln 2), m the bins that were met; bits.

    Source: Miller, in Information Theory in Psychology, 1955.
    """
    seen = _counts(counts)
    return plug_in(counts) + (len(seen) - 1) / (2 * int(seen.sum()) * math.log(2))


def grassberger(counts: npt.ArrayLike) -> float:
    """Entropy by Grassberger's G function, bits.

    H = ln n - sum(k G(k)) / n with G(k) = psi(k) + (-1)^k (psi((k+1)/2) - psi(k/2)) / 2.

    Source: Grassberger, Entropy Estimates from Insufficient Samplings, arXiv physics/0307138, eq. 30.
    """
    seen = _counts(counts).astype(np.float64)
    psi = scipy.special.digamma
    sign = np.where(seen % 2 == 0, 1.0, -1.0)
    g = psi(seen) + sign * (psi((seen + 1) / 2) - psi(seen / 2)) / 2
    n = seen.sum()
    return float((math.log(n) - (seen * g).sum() / n) / math.log(2))


def chao_shen(counts: npt.ArrayLike) -> float:
    """Entropy with the mass of unseen bins estimated by Good-Turing and Horvitz-Thompson weights, bits.

    Source: Chao, Shen, Environmental and Ecological Statistics 10, 2003, 429-443.
    """
    seen = _counts(counts)
    n, singles = int(seen.sum()), int((seen == 1).sum())
    # With nothing but singletons the coverage would be 0; the usual remedy is one singleton fewer.
    coverage = 1 - min(singles, n - 1) / n
    p = coverage * seen / n
    met = -np.expm1(n * np.log1p(-np.minimum(p, 1 - 1e-15)))  # probability that the bin was met at all
    return float(-(p * np.log2(p) / met).sum()) + 0.0


def min_entropy(counts: npt.ArrayLike) -> float:
    """Minus the log of the largest share, bits. Biased low: the luckiest bin is taken for the best one."""
    seen = _counts(counts)
    return float(-np.log2(seen.max() / seen.sum())) + 0.0


def doubling_curve(
    samples: npt.ArrayLike, estimator: Callable[[npt.ArrayLike], float], least: int = 16
) -> list[tuple[int, float]]:
    """Estimate from the first n samples, n doubling up to all of them.

    Args:
        samples: bin numbers in random order, shape (n,).
        estimator: one of this module.
        least: the smallest n; fewer samples than that give one point.

    Returns:
        (n, bits), n ascending, the whole sample last.
    """
    bins = np.asarray(samples)
    sizes = [len(bins)]
    while sizes[-1] // 2 >= least:
        sizes.append(sizes[-1] // 2)
    return [(n, estimator(np.unique(bins[:n], return_counts=True)[1])) for n in reversed(sizes)]
