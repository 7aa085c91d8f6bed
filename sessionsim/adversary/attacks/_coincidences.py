"""Pairs of inboxes that are written to at one moment, all of them counted in one pass (metrics 2d(4)).

Stores are taken in order of time and compared with those that follow within the window. The count of each
pair is held against the Poisson law of two independent inboxes, and the p-values are corrected for the
number of pairs (Benjamini, Hochberg).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def near_pairs(t_s: Floats, window_s: float) -> tuple[Ints, Ints]:
    """Give all pairs of events at most a window apart, earlier one first; times ascend."""
    last = np.searchsorted(t_s, t_s + window_s, "right")
    many = last - np.arange(len(t_s)) - 1
    first = np.repeat(np.arange(len(t_s)), many)
    within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    return first.astype(np.int64), (first + 1 + within).astype(np.int64)


def pair_counts(inbox: Ints, first: Ints, second: Ints, inboxes: int) -> tuple[Ints, Ints, Ints]:
    """Count near events per pair of different inboxes: both numbers, smaller first, and how often."""
    a, b = inbox[first], inbox[second]
    apart = a != b
    low, high = np.minimum(a[apart], b[apart]), np.maximum(a[apart], b[apart])
    cells, counts = np.unique(low * inboxes + high, return_counts=True)
    return cells // inboxes, cells % inboxes, counts.astype(np.int64)


def chance_of(counts: Ints, expected: Floats) -> Floats:
    """Probability of so many coincidences, or more, at the expected number."""
    found: Floats = np.asarray(scipy.stats.poisson(expected).sf(counts - 1), dtype=np.float64)
    return found


def false_discovery_rates(p: Floats, tests: int) -> Floats:
    """Give for each p-value the false-discovery rate at which it would be found.

    Args:
        p: the p-values that were computed; the others of `tests` were 1.

    Source: Benjamini, Hochberg, JRSS B 57 (1995), 289-300.
    """
    order = np.argsort(p, kind="stable")
    rate = p[order] * tests / np.arange(1, len(p) + 1)
    found = np.empty(len(p))
    found[order] = np.minimum(1.0, np.minimum.accumulate(rate[::-1])[::-1])
    return found
