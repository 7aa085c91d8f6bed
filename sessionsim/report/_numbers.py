"""Numbers as people read them: three digits, one unit for a value and its interval."""

from __future__ import annotations

import math
from typing import Final

from sessionsim.core.readings import Reading, plural

MISSING: Final = "not enough data"
# An interval wider than this share of all there could be says nothing. Assumption: half.
WIDEST: Final = 0.5

_SCALES: Final = {
    "us": ((1, "µs"), (1_000, "ms"), (1_000_000, "s"), (60_000_000, "min"), (3_600_000_000, "h")),
    "bytes": ((1, "B"), (1_000, "kB"), (1_000_000, "MB"), (1_000_000_000, "GB")),
    "prob": ((0.01, "%"),),
    "count": ((1, ""),),
    "bit": ((1, "bit"),),
    "nat": ((1, "nat"),),
    "h": ((1, "h"),),
    "advantage": ((1, ""),),
}
# Minutes and hours only from this many of them on: 90 s reads better than 1.5 min.
_FROM: Final = {"min": 3, "h": 3}


def scale_of(value: float, unit: str) -> tuple[float, str]:
    """Choose the unit to show a value in. Returns its factor and its sign."""
    best = _SCALES[unit][0]
    for factor, sign in _SCALES[unit]:
        if abs(value) >= factor * _FROM.get(sign, 1):
            best = (factor, sign)
    return best


def digits(value: float, step: float | None = None) -> str:
    """Write a number with three significant digits and thousands separated.

    Args:
        step: the value whose precision to use, so that the ends of an interval match it.
    """
    size = abs(step if step is not None else value)
    places = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:,.{places}f}"
    return "0" if float(text.replace(",", "")) == 0 else text


def quantity(value: float | None, unit: str) -> str:
    """Write a value with its unit, for example `3.14 s`, `42.9 MB`, `15.0 %`, `12`."""
    if value is None:
        return MISSING
    factor, sign = scale_of(value, unit)
    if unit == "prob":
        return f"{percent_digits(value)} %"
    if unit == "count" and not float(value).is_integer() and abs(value) < 100:
        return digits(value)
    if unit == "count" or (sign == "B" and float(value).is_integer()):
        return f"{value:,.0f} {sign}".strip()
    return f"{digits(value / factor)} {sign}".strip()


def percent_digits(share: float) -> str:
    """Write a share as a percent number: no decimals from 10 % on unless near 100 %, else two digits."""
    percent = 100 * share
    if percent in (0.0, 100.0):
        return f"{percent:.0f}"
    if percent >= 99.95:
        return "> 99.9"
    if percent < 0.1:
        return "< 0.1"
    return f"{percent:.1f}" if percent < 9.95 or percent > 90 else f"{percent:.0f}"


def span(low: float | None, high: float | None, unit: str, value: float | None = None) -> str:
    """Write an interval in one unit, for example `2.91 to 3.40 s`; empty if there is none."""
    if low is None or high is None:
        return ""
    if unit == "prob":
        places = 1 if high < 0.1 or low > 0.9 else 0
        ends = ("0" if end == 0 else "100" if end == 1 else f"{100 * end:.{places}f}" for end in (low, high))
        return f"{' to '.join(ends)} %"
    factor, sign = scale_of(high if value is None else value, unit)
    step = (high if value is None else value) / factor
    return f"{digits(low / factor, step)} to {digits(high / factor, step)} {sign}".strip()


def tick(value: float, unit: str) -> str:
    """Write a round number on an axis: no digits that say nothing."""
    number, _, sign = quantity(value, unit).partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {sign}".strip()


def of_reading(reading: Reading | None) -> str:
    """Write a reading's value, or why there is none."""
    if reading is None:
        return "not measured"
    if reading.value is None:
        return f"{MISSING}: {count_of(reading.n, reading.n_unit)}, {reading.needed:,} would do"
    return quantity(reading.value, reading.unit)


def too_few(reading: Reading) -> int | None:
    """Say how many units of replication would make a share worth a sentence; None if there are enough.

    Widths of intervals shrink with the root of the number of units.
    """
    if reading.unit != "prob" or reading.value is None or reading.low is None or reading.high is None:
        return None
    width = reading.high - reading.low
    return math.ceil(reading.n * (width / WIDEST) ** 2) if width > WIDEST else None


def span_of(reading: Reading | None) -> str:
    """Write a reading's interval; empty if it has none, or if it is an exact count."""
    if reading is None or reading.value is None or reading.low == reading.high:
        return ""
    return span(reading.low, reading.high, reading.unit, reading.value)


def baseline_of(reading: Reading) -> str:
    """Write a reading's baseline with its name; empty if there is none."""
    if reading.baseline is None:
        return ""
    return f"{quantity(reading.baseline, reading.unit)} ({reading.baseline_name})"


def count_of(number: float, noun: str) -> str:
    """Write a count with its noun, for example `1 seed`, `452 messages`."""
    return f"{number:,.0f} {noun if number == 1 else plural(noun)}"
