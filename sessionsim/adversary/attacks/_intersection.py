"""Intersection: whoever was there every time (metrics 2c).

Each time the target receives, the partner was among those active shortly before. Keep only those who always
were. Exact and merciless: one epoch in which the partner is missing from the set loses it for good, so with
loss or clock error use `_sealed_sender`, which counts instead.

Source: Kesdogan, Agrawal, Penz, Limits of Anonymity in Open Environments, IH 2002.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def intersection(epochs: Iterable[npt.ArrayLike]) -> list[Ints]:
    """Give the candidates that are left after each epoch.

    Args:
        epochs: per epoch, who was active in it, any order, repeats allowed.

    Returns:
        One ascending array per epoch; the first is the first epoch itself, an empty one stays empty.
    """
    left: list[Ints] = []
    for epoch in epochs:
        present: Ints = np.unique(np.asarray(epoch, dtype=np.int64))
        left.append(np.intersect1d(left[-1], present, assume_unique=True) if left else present)
    return left


def epochs_until_alone(left: Iterable[Ints]) -> int:
    """Count the epochs until one candidate is left; -1 if that never happens."""
    for number, candidates in enumerate(left, 1):
        if len(candidates) == 1:
            return number
    return -1
