"""What a report says of fast and slow mode, if some phones of the run are in fast mode.

One template, tested word by word, like the three answers. What a phone never showed is not among its times;
the answer about reliability counts it.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._numbers import count_of, of_reading, percent_digits, quantity, span_of

LABEL: Final = "Fast mode and slow mode"
_METRIC: Final = "push-modes"


def push_modes_answer(readings: Readings) -> str:
    """Give one paragraph; empty if no phone was in fast mode."""
    carried = readings.get(_METRIC, "pushes that carried the message")
    if carried is None:
        return ""
    fast, slow = (_mode(readings, name) for name in ("fast mode", "slow mode"))
    if fast and slow:
        text = f"Phones in fast mode showed a message {fast}, those in slow mode {slow}."
    elif fast or slow:
        text = f"Phones in {'fast' if fast else 'slow'} mode showed a message {fast or slow}."
    else:
        text = "Phones showed too few messages to say how soon."
    return f"{text} {_pushes(carried)}"


def _mode(readings: Readings, name: str) -> str:
    """Say how soon the phones of one mode showed a message; empty if too few did."""
    mean = readings.get(_METRIC, f"{name}, mean")
    if mean is None or mean.value is None:
        return ""
    interval = span_of(mean)
    text = f"{of_reading(mean)}{f' ({interval})' if interval else ''} after the wish to send on average"
    late = readings.get(_METRIC, f"{name}, p95")
    if late is not None and late.value is not None:
        text += f", 95 of 100 within {quantity(late.value, late.unit)}"
    return f"{text} ({count_of(mean.counts['messages'], 'message')})"


def _pushes(carried: Reading) -> str:
    with_body, of = carried.counts["carried"], carried.counts["pushes"]
    if not of:
        return "No push reached a phone."
    text = f"{with_body:,.0f} of {of:,.0f} {'push' if of == 1 else 'pushes'} carried the message itself"
    return f"{text} ({percent_digits(with_body / of)} %)."
