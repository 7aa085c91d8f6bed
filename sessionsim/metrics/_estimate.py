"""An estimate: a value with its interval, or how much more data one would take.

Nothing here prints a bare number: where the data are too few, value and interval are None together and
`needed` says how many units of replication would do (metrics 0.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.readings import plural

# Assumption: with two units a 95 % t interval is 12.7 standard errors wide on each side and says nothing.
MIN_UNITS: Final = 3
LEVEL: Final = 0.95  # Source: metrics 0.3, all intervals are 95 %


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; or, when all three are None, how many of `n_unit` are `needed` for one."""

    value: float | None
    low: float | None
    high: float | None
    interval: str
    n: int
    n_unit: str
    needed: int | None = None

    @property
    def enough(self) -> bool:
        """Tell whether there is a value at all."""
        return self.value is not None

    def __str__(self) -> str:
        if self.value is None:
            unit = self.n_unit if self.n == 1 else plural(self.n_unit)
            return f"not enough data: {self.n} {unit}, {self.needed} would do"
        return (
            f"{self.value:.6g} [{self.low:.6g}, {self.high:.6g}] ({self.interval}, {self.n} {self.n_unit}s)"
        )


def too_few(interval: str, n: int, n_unit: str, needed: int) -> Estimate:
    """Say that the data do not carry a value, and how many of what is too few would."""
    return Estimate(None, None, None, interval, n, n_unit, needed)
