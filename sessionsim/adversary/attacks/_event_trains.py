"""Event trains: does a link carry the messages of this group, and which stores are one fan-out (metrics 2b)?

`event_match` is for someone who sees a group's messages and an encrypted link: bursts are merged into
events, and an event counts as matched if the link has one of about its time and size. `fan_out` is for swarm
members: the same message stored into several inboxes within a moment, against what equal sizes do by chance.

Source: Bahramali, Soltani, Houmansadr, Goeckel, Towsley, Practical Traffic Analysis Attacks on Secure
Messaging Applications, NDSS 2020; the chance of a fan-out: metrics 2b.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def merged(time_s: npt.ArrayLike, size: npt.ArrayLike, gap_s: float) -> tuple[Floats, Floats]:
    """Merge bursts: what follows within `gap_s` belongs to the same event.

    Args:
        time_s, size: transmissions, seconds ascending and bytes, shape (n,).

    Returns:
        Time of the first transmission and sum of the sizes, per event.
    """
    when, how_much = np.asarray(time_s, dtype=np.float64), np.asarray(size, dtype=np.float64)
    if not len(when):
        return when, how_much
    starts = np.flatnonzero(np.r_[True, np.diff(when) > gap_s])
    return when[starts], np.add.reduceat(how_much, starts)


def event_match(
    group: tuple[Floats, Floats], link: tuple[Floats, Floats], delay_s: float, size_ratio: float
) -> float:
    """Give the share of a group's events that a link has too, 0..1.

    Args:
        group, link: times in s ascending and sizes of events.
        delay_s: how late the link may be. size_ratio: how far sizes may differ, as a factor, 1 or more.
    """
    times, sizes = group
    if not len(times):
        return 0.0
    first = np.searchsorted(link[0], times, "left")
    last = np.searchsorted(link[0], times + delay_s, "right")
    matched = 0
    for a, b, size in zip(first.tolist(), last.tolist(), sizes.tolist(), strict=True):
        near = link[1][a:b]
        matched += bool(np.any((near <= size * size_ratio) & (near * size_ratio >= size)))
    return matched / len(times)


def fan_out(stored_s: npt.ArrayLike, size_class: npt.ArrayLike, window_s: float) -> tuple[Ints, Floats]:
    """Count for each store how many later ones of its size class follow within a window, and how likely
    that is by chance.

    Args:
        stored_s, size_class: all stores seen, seconds ascending and whole numbers, shape (stores,).
        window_s: how long a fan-out takes at most.

    Returns:
        Partners of each store, and the Poisson probability of at least so many at the class's own rate;
        correct for the number of stores before believing one (`false discovery`).
    """
    when, kind = np.asarray(stored_s, dtype=np.float64), np.asarray(size_class, dtype=np.int64)
    partners = np.zeros(len(when), dtype=np.int64)
    tail = np.ones(len(when))
    for one in np.unique(kind):
        rows = np.flatnonzero(kind == one)
        times = when[rows]
        partners[rows] = np.searchsorted(times, times + window_s, "right") - np.arange(len(times)) - 1
        span = max(float(when[-1] - when[0]), window_s)
        tail[rows] = scipy.stats.poisson(len(rows) / span * window_s).sf(partners[rows] - 1)
    return partners, tail


def chance_partners(rate_per_s: float, window_s: float, shares: npt.ArrayLike) -> float:
    """Expected accidental partners of a store: rate times window times the sum of squared class shares."""
    return rate_per_s * window_s * float((np.asarray(shares, dtype=np.float64) ** 2).sum())
