"""Coincidence: two inboxes that are written to together more often than by chance (metrics 2d(4)).

Two independent inboxes with store rates a and b meet within a window w about 2 a b w times a second. The
observed count is held against that Poisson law; with one test per pair the p-values need a correction for
false discoveries before any of them becomes an edge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]


def coincidences(a_s: npt.ArrayLike, b_s: npt.ArrayLike, window_s: float) -> int:
    """Count pairs of stores at most a window apart. Args: a_s, b_s: times in s, ascending."""
    first, second = np.asarray(a_s, dtype=np.float64), np.asarray(b_s, dtype=np.float64)
    upper = np.searchsorted(second, first + window_s, "right")
    return int((upper - np.searchsorted(second, first - window_s, "left")).sum())


def coincidence_p_value(a_s: npt.ArrayLike, b_s: npt.ArrayLike, window_s: float, horizon_s: float) -> float:
    """Probability of so many coincidences if the inboxes have nothing to do with each other.

    Args:
        horizon_s: how long both were watched. Bursts make chance coincidences clump, so within one burst
            count a single store.
    """
    expected = len(np.asarray(a_s)) * len(np.asarray(b_s)) / horizon_s * 2 * window_s
    return float(scipy.stats.poisson(expected).sf(coincidences(a_s, b_s, window_s) - 1))
