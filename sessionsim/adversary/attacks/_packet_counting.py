"""Packet counting: what goes in comes out (metrics 2b(i)).

The cheapest of all: two links belong together if as much happens on the one as on the other, window by
window. The score is minus the sum of absolute differences, so 0 is a perfect match.

Source: Serjantov, Sewell, Passive Attack Analysis for Connection-Based Anonymity Systems, ESORICS 2003.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def packet_counting(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Score all pairs of flows.

    Args:
        a, b: counts per window, shape (flows, windows); windows much longer than the delay.

    Returns:
        Shape (flows of a, flows of b), 0 or below.
    """
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    found: Floats = -np.abs(left[:, None, :] - right[None, :, :]).sum(axis=2)
    return found
