"""Packet counting: what goes in comes out (metrics 2b(i)).

The cheapest of all: two links belong together if as much happens on the one as on the other, window by
window. The score is minus the sum of absolute differences, so 0 is a perfect match.

Source: Serjantov, Sewell, Passive Attack Analysis for Connection-Based Anonymity Systems, ESORICS 2003.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._cross_correlation import Counts, by_column
from sessionsim.adversary.attacks._trains import near

Floats = npt.NDArray[np.float64]


def packet_counting(a: Counts, b: Counts) -> Floats:
    """Score all pairs of flows.

    Args:
        a, b: counts per window, shape (flows, windows); windows much longer than the delay.

    Returns:
        Shape (flows of a, flows of b), 0 or below.
    """
    left, right = by_column(a).tocoo(), by_column(b).tocoo()
    columns = right.shape[0]
    shared = np.zeros(left.shape[0] * columns)
    # |x - y| = x + y - 2 min(x, y), and the smaller is 0 unless both flows have something in the window.
    for one, other in near(left.coords[1].astype(np.int64), right.coords[1].astype(np.int64), 0, 1):
        cell = left.coords[0][one].astype(np.int64) * columns + right.coords[0][other]
        np.add.at(shared, cell, np.minimum(left.data[one], right.data[other]))
    sums = [np.asarray(table.sum(axis=1), dtype=np.float64) for table in (left, right)]
    found: Floats = 2 * shared.reshape(left.shape[0], columns) - np.add.outer(*sums)
    return np.minimum(found, 0.0)
