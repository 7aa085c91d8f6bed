"""When devices and accounts were there, from what clients told truth of themselves.

A client is awake and in front until an event says otherwise (`network.truth_tables`). An account is online
while one of its devices is awake.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MIN
from sessionsim.core.view import Table

Span = tuple[int, int]
_HALF_US = US_PER_MIN // 2


def spans(truth: Truth, whats: Sequence[str]) -> dict[int, list[Span]]:
    """Give, by endpoint, the times in which all of some states held, in order, up to the end of the phase.

    Args:
        whats: names of states whose changes are events with the value 1 or 0.
    """
    events = truth.events
    columns = (events[name].tolist() for name in ("t_us", "endpoint", "what", "value"))
    changes: dict[int, list[tuple[int, str, bool]]] = {}
    for t_us, endpoint, what, value in zip(*columns, strict=True):
        if what in whats:
            changes.setdefault(endpoint, []).append((t_us, what, bool(value)))
    return {
        endpoint: _spans(changes.get(endpoint, []), whats, truth.end_us)
        for endpoint in truth.devices["endpoint"].tolist()
    }


def _spans(changes: Sequence[tuple[int, str, bool]], whats: Sequence[str], end_us: int) -> list[Span]:
    state, since = dict.fromkeys(whats, True), 0
    found: list[Span] = []
    for t_us, what, value in sorted(changes, key=lambda change: change[0]):
        before = all(state.values())
        state[what] = value
        after = all(state.values())
        if before and not after and t_us > since:
            found.append((since, min(t_us, end_us)))
        if after and not before:
            since = t_us
    if all(state.values()) and since < end_us:
        found.append((since, end_us))
    return [span for span in found if span[0] < span[1]]


def together(of_devices: dict[int, list[Span]], devices: Table, account: int) -> list[Span]:
    """Give the times in which one of an account's devices was there, in order and apart."""
    pairs = zip(devices["endpoint"].tolist(), devices["account"].tolist(), strict=True)
    found: list[Span] = []
    for begin, end in sorted(
        span for endpoint, owner in pairs if owner == account for span in of_devices[endpoint]
    ):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def minutes(there: Sequence[Span], end_us: int) -> tuple[str, ...]:
    """Name the minutes of which at least half was within the spans."""
    held: dict[int, int] = {}
    for begin, end in there:
        for minute in range(begin // US_PER_MIN, (min(end, end_us) - 1) // US_PER_MIN + 1):
            inside = min(end, (minute + 1) * US_PER_MIN) - max(begin, minute * US_PER_MIN)
            held[minute] = held.get(minute, 0) + inside
    return tuple(f"minute:{minute}" for minute, inside in sorted(held.items()) if inside >= _HALF_US)


def return_us(of_devices: dict[int, list[Span]], devices: Table, account: int) -> int:
    """Give when an account came back from its longest absence, one at the start included."""
    there = together(of_devices, devices, account)
    ends = [0, *(end for _, end in there)]
    absences = [(begin - end, begin) for (begin, _), end in zip(there, ends, strict=False)]
    longest, back_us = max(absences, key=lambda one: one[0])
    assert longest > 0
    return back_us
