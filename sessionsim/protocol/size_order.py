"""In which order swarms of equal size stand: that of GNU's `std::sort`.

The reference sorts swarms by size and lets chance pick a *position*, or serves starving swarms in order, so
what the library does with equal sizes decides which nodes go where. It is not only a matter of labels: with
equal sizes in order of id, swarms that dissolve in one block would lie side by side on the ring and leave
larger gaps than the reference does (`tests/verification/test_swarm_statistics.py` sees the difference).

`std::sort` of GNU's C++ library is an introsort: stretches of more than 16 are split at the median of three,
the element after the first, the middle and the last; shorter ones are sorted by insertion, which keeps equal
sizes in their order. Nobody needs the whole order, so only stretches that hold wanted positions are split.
The library turns to heap sort after 2·log2(n) splits in a row; that takes sizes arranged against the median
of three, and such a stretch is left in its order here.

Source: behaviour of GCC's libstdc++ (bits/stl_algo.h), which the reference's Linux builds use; other
libraries order ties otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

_SHORT: Final = 16  # longest stretch that is not split. Source: libstdc++ bits/stl_algo.h


def positions(sizes: Sequence[int], low: int, high: int) -> list[int]:
    """Say what stands at positions low to high-1 after `std::sort` by size.

    Args:
        sizes: in the order before sorting.
        low, high: 0 <= low <= high <= len(sizes).

    Returns:
        Indices into `sizes`.
    """
    values, indices = list(sizes), list(range(len(sizes)))
    found: list[int] = []
    depth = 2 * (len(values).bit_length() - 1)
    for first, last in _stretches(values, indices, low, high, depth):
        ordered = sorted(range(first, last), key=values.__getitem__)
        found += [indices[at] for at in ordered[max(0, low - first) : high - first]]
    return found


def _stretches(
    values: list[int], indices: list[int], low: int, high: int, depth: int
) -> Iterator[tuple[int, int]]:
    """Split until every stretch with wanted positions is short; gives them from left to right."""
    waiting = [(0, len(values), depth)]
    while waiting:
        first, last, depth = waiting.pop()
        if last <= low or first >= high:
            continue
        if last - first <= _SHORT or depth == 0:
            yield first, last
            continue
        cut = _split(values, indices, first, last)
        waiting += [(cut, last, depth - 1), (first, cut, depth - 1)]


def _split(values: list[int], indices: list[int], first: int, last: int) -> int:
    """Put smaller sizes before larger ones. Returns where the larger ones begin."""
    _swap(values, indices, first, _median(values, first + 1, first + (last - first) // 2, last - 1))
    pivot, left, right = values[first], first + 1, last
    while True:
        while values[left] < pivot:
            left += 1
        right -= 1
        while pivot < values[right]:
            right -= 1
        if left >= right:
            return left
        values[left], values[right] = values[right], values[left]
        indices[left], indices[right] = indices[right], indices[left]
        left += 1


def _median(values: list[int], a: int, b: int, c: int) -> int:
    """Say which of three places holds the median; with equal sizes, as the library decides."""
    if values[a] < values[b]:
        return b if values[b] < values[c] else c if values[a] < values[c] else a
    return a if values[a] < values[c] else c if values[b] < values[c] else b


def _swap(values: list[int], indices: list[int], one: int, other: int) -> None:
    values[one], values[other] = values[other], values[one]
    indices[one], indices[other] = indices[other], indices[one]
