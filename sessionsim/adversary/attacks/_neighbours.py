"""Nearest neighbours: what those were that looked most like this (metrics 1.2(3)).

The rule is universally consistent if the number of neighbours grows more slowly than the number of
examples, so it takes its square root. Features are divided by their spread. Votes with one half added to
each class make a posterior. Ties in distance go to the earlier example, so the same examples give the same
answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]


class Neighbours:
    """Labelled points. Args: points: shape (n, features), n at least 1; labels: one per point."""

    def __init__(self, points: npt.ArrayLike, labels: Sequence[str]) -> None:
        array = np.asarray(points, dtype=np.float64)
        self._centre = array.mean(axis=0)
        spread = array.std(axis=0)
        self._scale = np.where(spread > 0, spread, 1.0)
        self._tree = scipy.spatial.cKDTree((array - self._centre) / self._scale)
        self.classes = sorted(set(labels))
        self._label = np.array([self.classes.index(label) for label in labels])
        self._k = max(1, round(math.sqrt(len(array))))

    def posterior(self, points: npt.ArrayLike) -> Floats:
        """Give the share of each class among the nearest, shape (n, classes), every row summing to 1."""
        array = (np.asarray(points, dtype=np.float64) - self._centre) / self._scale
        near = np.asarray(self._tree.query(array, k=self._k)[1]).reshape(len(array), -1)
        votes = np.stack([(self._label[near] == c).sum(axis=1) for c in range(len(self.classes))], axis=1)
        found: Floats = (votes + 0.5) / (votes.sum(axis=1, keepdims=True) + 0.5 * len(self.classes))
        return found
