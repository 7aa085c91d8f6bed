"""A reading: one measured value with all that is needed to believe or doubt it.

A value without interval, n and baseline is not a reading. Where the data are too few, `value` is None and
`needed` says how many would do; such a reading never appears as a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# What may follow a counted noun, in `seed with an alarm` or `account that met it`.
_TAILS: Final = (" with ", " that ")


def plural(noun: str) -> str:
    """Write what is counted in the plural, for example `seeds`, `seeds with an alarm`."""
    for tail in _TAILS:
        head, found, rest = noun.partition(tail)
        if found:
            return f"{head}s{found}{rest}"
    return f"{noun}s"


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of readings.json.

    Args:
        metric: id of the metric's drop-in.
        name: what it is about, for example `end to end, p95` or `coalition: S6`.
        unit: `us`, `bytes`, `prob`, `count`.
        value, low, high: the value and its interval in that unit; None if there are not enough data.
        interval: how the interval was made, for example `95 % t over seeds`.
        n: how many units of replication; n_unit: `seed` or `account`; without a value, whatever is
            too few, for example `seed with an alarm`.
        baseline: the value a blind guess, a closed form or an empty network gives; None if there is none.
        baseline_name: what that baseline is.
        needed: how many of `n_unit` would suffice; None when there were enough.
        counts: raw counts behind it, name -> number, for people who check.
    """

    metric: str
    name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    interval: str
    n: int
    n_unit: str
    baseline: float | None
    baseline_name: str
    needed: int | None
    counts: dict[str, float]
