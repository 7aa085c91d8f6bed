"""The body clock: time that runs fast in the busy hours of the day and slowly at night.

Waits between sittings are counted on this clock, waits within one on the wall clock. A process that is
stationary on the body clock has, on the wall clock, a rate proportional to the curve of the day, which is
what thinning would give; unlike thinning it keeps the number of messages and never tears a sitting apart.
Over whole days, or whole weeks with a curve of the week, both clocks advance equally. Source of the measured
curves: metrics 4.1.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.workload.fits import HOUR_SHARES_PERCENT, MEASURED_PEAK_HOUR, WEEKDAY_SHARES_PERCENT

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S


def day_curve(peak_hour: int, day_night_ratio: float) -> tuple[float, ...]:
    """Give the relative rate of each local hour, 24 numbers with mean 1.

    Args:
        peak_hour: local hour 0..23 in which the measured curve's highest hour is put.
        day_night_ratio: busiest over quietest hour, 1 (flat) up to the measured ratio. Reached by mixing
            the measured curve with a flat one.

    Raises:
        InvalidInput: hour or ratio outside those bounds.
    """
    top, bottom = max(HOUR_SHARES_PERCENT), min(HOUR_SHARES_PERCENT)
    if peak_hour not in range(24):
        raise InvalidInput("peak_hour", peak_hour, "a whole hour from 0 to 23")
    if not 1 <= day_night_ratio <= top / bottom:
        raise InvalidInput("day_night_ratio", day_night_ratio, f"1 to {top / bottom:.1f}, as measured")
    mean = sum(HOUR_SHARES_PERCENT) / 24
    # (1-e) top + e mean = ratio * ((1-e) bottom + e mean), solved for e.
    spread = top - day_night_ratio * bottom
    flat = spread / (spread + (day_night_ratio - 1) * mean) if day_night_ratio > 1 else 1.0
    shifted = [HOUR_SHARES_PERCENT[(h - peak_hour + MEASURED_PEAK_HOUR) % 24] for h in range(24)]
    return tuple((1 - flat) * share / mean + flat for share in shifted)


def week_curve(day: tuple[float, ...]) -> tuple[float, ...]:
    """Give the relative rate of each hour of the week from Monday 0:00, 168 numbers with the mean of `day`.

    Args:
        day: rates of the 24 hours, alike on all days; each day is weighted by the measured share.
    """
    mean = sum(WEEKDAY_SHARES_PERCENT) / 7
    return tuple(share / mean * rate for share in WEEKDAY_SHARES_PERCENT for rate in day)


@dataclass(frozen=True, slots=True)
class BodyClock:
    """One person's day or week. Args: curve: see day_curve and week_curve; start_hour: local hour at time 0,
    of the day or of the week, may be fractional."""

    curve: tuple[float, ...]
    start_hour: float
    _edges: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _mean: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.curve) not in (24, 168) or min(self.curve) <= 0:
            raise InvalidInput("day curve", self.curve, "24 or 168 rates above 0")
        total, period_s = sum(self.curve), len(self.curve) * HOUR_S
        edges = tuple(edge * period_s / total for edge in accumulate(self.curve, initial=0.0))
        object.__setattr__(self, "_edges", edges)
        object.__setattr__(self, "_mean", total / len(self.curve))

    def after(self, t_s: float, wait_s: float) -> float:
        """Give the moment, seconds from time 0, at which `wait_s` have passed on this clock since `t_s`."""
        origin_s = self.start_hour * HOUR_S
        return self._wall(self._body(t_s + origin_s) + wait_s) - origin_s

    @property
    def peak(self) -> float:
        """The rate of the busiest hour."""
        return max(self.curve) / self._mean

    def rate(self, t_s: float) -> float:
        """Give how fast this clock runs at a moment, 1 on average."""
        hours = len(self.curve)
        return self.curve[int((t_s / HOUR_S + self.start_hour) % hours) % hours] / self._mean

    def _body(self, wall_s: float) -> float:
        period_s = len(self.curve) * HOUR_S
        turn, rest = divmod(wall_s, period_s)
        hour = min(int(rest / HOUR_S), len(self.curve) - 1)
        low, high = self._edges[hour], self._edges[hour + 1]
        return turn * period_s + low + (high - low) * (rest / HOUR_S - hour)

    def _wall(self, body_s: float) -> float:
        period_s = len(self.curve) * HOUR_S
        turn, rest = divmod(body_s, period_s)
        hour = min(bisect_right(self._edges, rest) - 1, len(self.curve) - 1)
        low, high = self._edges[hour], self._edges[hour + 1]
        return turn * period_s + HOUR_S * (hour + (rest - low) / (high - low))
