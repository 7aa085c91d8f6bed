"""Selective denial: what does not profit the coalition does not work (metrics 2a).

A member on a path that the coalition cannot fully use drops what passes, so the client builds another. The
paths that remain are those without any member, and those the coalition owns at both ends.

Source: Borisov, Danezis, Mittal, Tabriz, Denial of Service or Denial of Security?, CCS 2007.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]


class Fate(NamedTuple):
    """What becomes of each path. Args: works: it is not dropped; compromised: both ends are owned."""

    works: Flags
    compromised: Flags


def selective_denial(member: npt.ArrayLike) -> Fate:
    """Drop every path that holds a member and is not owned at both ends.

    Args:
        member: whether the coalition owns each position of a path, first to last, shape (paths, positions).
    """
    owned = np.asarray(member, dtype=bool)
    compromised = owned[:, 0] & owned[:, -1]
    return Fate(compromised | ~owned.any(axis=1), compromised)
