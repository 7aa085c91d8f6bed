"""Cross-correlation: do two links carry the same rhythm, some delay apart (metrics 2b(ii))?

Events are counted in bins; the score of a pair is the largest Pearson correlation over the lags tried.

Source: Levine, Reiter, Wang, Wright, Timing Attacks in Low-Latency Mix Systems, FC 2004; Shmatikov, Wang,
Timing Analysis in Low-Latency Mix Networks, ESORICS 2006.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def binned(times_s: Sequence[Floats], bin_s: float, horizon_s: float) -> Floats:
    """Count events per bin, shape (flows, bins)."""
    bins = max(1, int(np.ceil(horizon_s / bin_s)))
    return np.array(
        [np.bincount(np.minimum((t // bin_s).astype(int), bins - 1), minlength=bins) for t in times_s],
        dtype=np.float64,
    )


def cross_correlation(a: npt.ArrayLike, b: npt.ArrayLike, lags: Sequence[int]) -> Floats:
    """Score all pairs of flows.

    Args:
        a, b: counts, shape (flows, bins), equally many bins.
        lags: by how many bins b may be late, 0 or more each, fewer than bins - 1.

    Returns:
        Shape (flows of a, flows of b), -1..1; 0 for a flow that never varies.
    """
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    best = np.full((len(left), len(right)), -1.0)
    for lag in lags:
        early, late = left[:, : left.shape[1] - lag], right[:, lag:]
        best = np.maximum(best, _standard(early) @ _standard(late).T)
    return best


def _standard(counts: Floats) -> Floats:
    centred = counts - counts.mean(axis=1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    found: Floats = np.divide(centred, norm, where=norm > 1e-12, out=np.zeros_like(centred))
    return found
