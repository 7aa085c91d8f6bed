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


def near_pairs(t_s: Floats, of: Ints, window_s: float) -> tuple[Ints, Ints]:
    """Pair some events with all others at most a window away, before or after.

    Args:
        t_s: times of all events, ascending. of: positions of those that are paired.

    Returns:
        Positions of the one and of the other; a pair of two of `of` comes twice, once from each side.
    """
    first = np.searchsorted(t_s, t_s[of] - window_s, "left")
    many = np.searchsorted(t_s, t_s[of] + window_s, "right") - first
    one = np.repeat(of, many)
    within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    other = np.repeat(first, many) + within
    apart = one != other
    return one[apart].astype(np.int64), other[apart].astype(np.int64)


def pair_counts(inbox: Ints, one: Ints, other: Ints, inboxes: int) -> tuple[Ints, Ints, Ints]:
    """Count near events per ordered pair of different inboxes: both numbers, and how often."""
    a, b = inbox[one], inbox[other]
    apart = a != b
    cells, counts = np.unique(a[apart] * inboxes + b[apart], return_counts=True)
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
