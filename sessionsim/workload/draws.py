"""Addressed chance for workloads: rows of a stream in order, and single numbers at an address.

`Rows` suit a process that draws on and on; `Luck` suits what hangs on a numbered thing (a message, a call),
which keeps its luck whatever else is drawn, left out or switched off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Final, TypeVar

from sessionsim.core.seeds import Seeds, mix

T = TypeVar("T")
_BLOCK: Final = 8
_COLUMNS: Final = 5  # bits: up to 32 numbers per row
_STANDARD: Final = NormalDist()


class Rows:
    """Rows of uniform numbers of one stream, handed out in order, drawn in blocks."""

    __slots__ = ("_rng", "_rows", "_width")

    def __init__(self, seeds: Seeds, width: int, *names: str | int) -> None:
        self._rng, self._width = seeds.stream("workload", *names), width
        self._rows: Iterator[list[float]] = iter(())

    def row(self) -> list[float]:
        """Give the next row of `width` numbers in [0, 1)."""
        found = next(self._rows, None)
        if found is None:
            self._rows = iter(self._rng.random((_BLOCK, self._width)).tolist())
            found = next(self._rows)
        return found


class Luck:
    """Uniform numbers in [0, 1) of one path of names, by row (0 or more) and column (0..31)."""

    __slots__ = ("_address",)

    def __init__(self, seeds: Seeds, *names: str | int) -> None:
        self._address = seeds.address("workload", *names)

    def at(self, row: int, column: int = 0) -> float:
        return (mix(self._address, row << _COLUMNS | column) >> 11) * 2.0**-53

    def normal(self, row: int, column: int = 0) -> float:
        """Give a standard normal number."""
        # Half a step away from 0, where the quantile is infinite.
        return _STANDARD.inv_cdf(self.at(row, column) + 2.0**-54)


def pick(items: Sequence[T], u: float) -> T:
    """Choose one of some items (at least one), all alike, at a uniform number in [0, 1)."""
    return items[int(u * len(items))]
