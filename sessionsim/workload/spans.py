"""Spans of time: sorted, disjoint pairs (begin, end) in µs, the end excluded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap or touch; empty ones vanish."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Cut the holes out of spans. Both sorted and disjoint; holes may be empty."""
    left: list[Span] = []
    cuts = [hole for hole in holes if hole[0] < hole[1]]
    for begin, end in spans:
        place = max(bisect_right(cuts, (begin, begin)) - 1, 0)
        while place < len(cuts) and cuts[place][0] < end:
            low, high = cuts[place]
            if high > begin:
                if low > begin:
                    left.append((begin, low))
                begin = high
            place += 1
        if begin < end:
            left.append((begin, end))
    return left


def containing(spans: list[Span], t_us: int) -> int:
    """Give the place of the span that holds a moment, or -1."""
    place = bisect_right(spans, (t_us, 1 << 62)) - 1
    return place if place >= 0 and t_us < spans[place][1] else -1


def following(spans: list[Span], t_us: int) -> int:
    """Give the place of the first span that begins after a moment; the number of spans if none does."""
    return bisect_right(spans, (t_us, 1 << 62))


def changes(spans: Iterable[Span], end_us: int) -> Iterator[tuple[int, bool]]:
    """Give the state at time 0 and every change after it, before `end_us`. Spans sorted and disjoint."""
    edges = [(t_us, on) for begin, end in spans for t_us, on in ((begin, True), (end, False))]
    yield 0, next((on for t_us, on in reversed(edges) if t_us <= 0), False)
    yield from ((t_us, on) for t_us, on in edges if 0 < t_us < end_us)
