"""Small tools for columns of whole numbers: growing ones as arrays, and where a value stands."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def column(values: array[int]) -> Ints:
    """Give a growing column as it stands now. It may not grow while the result is in use."""
    return np.frombuffer(values, np.int64) if values else np.empty(0, np.int64)


class Places:
    """Where each value of a column stands. Args: values: numbers from 0; negative ones stand for nothing."""

    def __init__(self, values: Ints) -> None:
        some = np.flatnonzero(values >= 0)
        self._order = some[np.argsort(values[some], kind="stable")]
        self._begins = np.searchsorted(values[self._order], np.arange(int(values.max(initial=-1)) + 2))

    def of(self, value: int) -> list[int]:
        """Give the places of one value, ascending."""
        if not 0 <= value < len(self._begins) - 1:
            return []
        found: list[int] = self._order[self._begins[value] : self._begins[value + 1]].tolist()
        return found


def first_of(numbers: Ints, t_us: Ints, n: int, never: int) -> Ints:
    """Give the least time of each number 0..n-1, `never` for those that do not occur.

    Args:
        numbers, t_us: of one shape; negative numbers stand for nothing.
    """
    first = np.full(n, never, np.int64)
    some = numbers >= 0
    np.minimum.at(first, numbers[some], t_us[some])
    return first
