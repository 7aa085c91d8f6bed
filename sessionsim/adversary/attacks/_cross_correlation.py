"""Cross-correlation: do two links carry the same rhythm, some delay apart (metrics 2b(ii))?

Events are counted in bins; the score of a pair is the largest Pearson correlation over the lags tried.

Source: Levine, Reiter, Wang, Wright, Timing Attacks in Low-Latency Mix Systems, FC 2004; Shmatikov, Wang,
Timing Analysis in Low-Latency Mix Networks, ESORICS 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
Counts = Any  # a table, dense or sparse: one row per flow

_ROUNDING = 1e-12  # Assumption: deviations below this share of the squares are of the arithmetic


def binned(times_s: Sequence[Floats], bin_s: float, horizon_s: float) -> Counts:
    """Count events per bin, shape (flows, bins); sparse, since most flows are silent in most bins."""
    bins = max(1, int(np.ceil(horizon_s / bin_s)))
    flow = np.repeat(np.arange(len(times_s)), [len(t) for t in times_s])
    place = np.minimum((np.concatenate([*times_s, np.zeros(0)]) // bin_s).astype(int), bins - 1)
    ones = np.ones(len(flow))
    return scipy.sparse.csr_array((ones, (flow, place)), shape=(len(times_s), bins))


def cross_correlation(a: Counts, b: Counts, lags: Sequence[int]) -> Floats:
    """Score all pairs of flows.

    Args:
        a, b: counts, shape (flows, bins), equally many bins.
        lags: by how many bins b may be late, 0 or more each, fewer than bins - 1.

    Returns:
        Shape (flows of a, flows of b), -1..1; 0 for a flow that never varies.
    """
    left, right = by_column(a), by_column(b)
    best = np.full((left.shape[0], right.shape[0]), -1.0)
    for lag in lags:
        early, late = left[:, : left.shape[1] - lag], right[:, lag:]
        # Only bins in which both flows have something add to the sum of products.
        together = (early.tocsr() @ late.T.tocsr()).toarray()
        (one, spread), (other, width) = _moments(early), _moments(late)
        centred = together - early.shape[1] * np.outer(one, other)
        scale = np.outer(spread, width)
        best = np.maximum(best, np.divide(centred, scale, where=scale > 0, out=np.zeros_like(centred)))
    return best


def by_column(counts: Counts) -> Any:
    """Lay a table out sparsely, column by column."""
    return scipy.sparse.csc_array(counts).astype(np.float64)


def _moments(counts: Any) -> tuple[Floats, Floats]:
    """Give mean and root of the sum of squared deviations of each flow; 0 for one that never varies."""
    mean = np.asarray(counts.sum(axis=1), dtype=np.float64) / counts.shape[1]
    squares = np.asarray((counts * counts).sum(axis=1), dtype=np.float64)
    around = squares - counts.shape[1] * mean**2
    return mean, np.sqrt(np.where(around > _ROUNDING * squares, around, 0.0))
