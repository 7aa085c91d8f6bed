"""Trains: the times of each name apart, and which events of two trains lie near each other.

Both in one pass over the events, so that many names cost what their events cost. Pairs of events are handed
out in blocks, since a wide window over dense trains has more of them than memory holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_BLOCK: Final = 1 << 20  # Assumption: pairs of events held at once; some tens of megabytes


def rows_of(whose: npt.NDArray[np.intp], names: int) -> list[npt.NDArray[np.intp]]:
    """Give the rows of each name, in order.

    Args:
        whose: number of each row's name, below `names`.
    """
    order = np.argsort(whose, kind="stable")
    return np.split(order, np.cumsum(np.bincount(whose, minlength=names))[:-1]) if names else []


def trains_of(t_us: Ints, whose: npt.NDArray[np.intp], names: int) -> list[Ints]:
    """Give the times of each name, in the order in which they come."""
    return [t_us[rows] for rows in rows_of(whose, names)]


def near(t_us: Ints, others_us: Ints, from_us: int, until_us: int) -> Iterator[tuple[Ints, Ints]]:
    """Pair each event with all others that lie in its window.

    Args:
        t_us: events, in any order. others_us: the others, ascending.
        from_us, until_us: the window around an event, its end not included.

    Yields:
        Positions of the one and of the other, by the one; all pairs of one event are in one block.
    """
    first = np.searchsorted(others_us, t_us + from_us)
    many = np.maximum(np.searchsorted(others_us, t_us + until_us) - first, 0)
    ends = np.cumsum(many)
    begin = 0
    while begin < len(t_us):
        before = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _BLOCK, side="right")))
        some = many[begin:end]
        one = np.repeat(np.arange(begin, end), some)
        within = np.arange(len(one)) - np.repeat(np.cumsum(some) - some, some)
        yield one, np.repeat(first[begin:end], some) + within
        begin = end


def meetings(
    ones: tuple[Ints, npt.NDArray[np.intp], int],
    others: tuple[Ints, npt.NDArray[np.intp], int],
    from_us: int,
    until_us: int,
) -> Ints:
    """Count the events of each name that have an event of another name in their window.

    Args:
        ones, others: times, number of each one's name, and how many names; times of the others ascending.
        from_us, until_us: the window, see `near`.

    Returns:
        Counts of events, shape (names of the ones, names of the others).
    """
    (t_us, whose, names), (others_us, their, columns) = ones, others
    counted = np.zeros(names * columns, dtype=np.int64)
    for one, other in near(t_us, others_us, from_us, until_us):
        # However many events of a name are near, they are one meeting.
        met = np.unique(one * columns + their[other])
        np.add.at(counted, whose[met // columns] * columns + met % columns, 1)
    return counted.reshape(names, columns)
