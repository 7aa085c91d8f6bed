"""Day, night and week of each person, for any pattern.

A pattern whose config inherits `Rhythm` gets these keys, and a clock per account (`clocks`). A process
counts its long waits on that clock (`clock.BodyClock`), which leaves sittings whole; a replayed trace, whose
times are given, is thinned (`keeps`). Source of the curves: metrics 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.workload.clock import DAY_S, BodyClock, day_curve, week_curve
from sessionsim.workload.draws import Rows
from sessionsim.workload.laws import Mixture
from sessionsim.workload.zones import utc_offset_h

_LONGEST_S = 1e12  # Assumption: what happens once in 30,000 years does not happen
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Rhythm:
    """Settings of day, night and week."""

    diurnal: bool = setting(
        True,
        doc="Whether people have day and night; without, every hour is alike.",
        source="metrics 4.1",
    )
    start_hour: float = setting(
        20.0,
        doc='Hour of the day at time 0: local time, or UTC with zones = "countries".',
        source="Assumption: an evening, so that a short run falls into the busy hours",
        low=0,
        high=24,
    )
    peak_hour: int = setting(
        21,
        doc="Local hour that is busiest; 0 in the measured curve.",
        source="metrics 4.1: shift the peak to 20-22 local for people who are not students",
        low=0,
        high=23,
    )
    day_night_ratio: float = setting(
        12.0,
        doc="Rate in the busiest hour over the rate in the quietest; 32 in the measured curve.",
        source="metrics 4.1: 10-15 for people who are not students",
        low=1,
        high=32,
    )
    weekly: bool = setting(
        False,
        doc="Whether the days of the week differ as measured; without, every day is alike.",
        source="metrics 4.1 has the shares; off, because a run is mostly shorter than a week",
    )
    start_weekday: str = setting(
        "Tuesday",
        doc="Day of the week at time 0, where and as `start_hour` counts.",
        source="Assumption: 28 April 2026, the day of the newest node list",
        choices=_DAYS,
    )
    zones: str = setting(
        "spread",
        doc='Time zones: "spread" over zone_spread_h at random, or those of the "countries" of clients.mix.',
        source="Assumption: as in the first version, where everybody lives in one zone",
        choices=("spread", "countries"),
    )
    zone_spread_h: int = setting(
        0,
        doc="Width in hours of the time zones people live in; each gets a whole hour of it at random.",
        source="Assumption: one time zone",
        low=0,
        high=24,
    )


Clock = BodyClock | None  # None: every hour is alike


def clocks(people: People, rhythm: Rhythm, seeds: Seeds) -> list[Clock]:
    """Give the clock of each account.

    Args:
        seeds: stream used: ("workload", "zone", a) per account.

    Raises:
        InvalidInput: `zones` is "countries" and a country's zones are not known.
    """
    if not rhythm.diurnal:
        return [None] * len(people)
    curve = day_curve(rhythm.peak_hour, rhythm.day_night_ratio)
    start_h = rhythm.start_hour
    if rhythm.weekly:
        curve, start_h = week_curve(curve), start_h + 24 * _DAYS.index(rhythm.start_weekday)
    found: dict[float, BodyClock] = {}
    return [
        found.setdefault(shift, BodyClock(curve, start_h + shift))
        for shift in (_shift_h(account, people, rhythm, seeds) for account in range(len(people)))
    ]


def utc_offsets_h(people: People, rhythm: Rhythm, seeds: Seeds) -> tuple[float, ...]:
    """Give how many hours ahead of the run's clock each account lives; empty where all hours are alike."""
    if not rhythm.diurnal:
        return ()
    return tuple(_shift_h(account, people, rhythm, seeds) for account in range(len(people)))


def _shift_h(account: int, people: People, rhythm: Rhythm, seeds: Seeds) -> float:
    if rhythm.zones == "spread" and not rhythm.zone_spread_h:
        return 0
    u = float(seeds.stream("workload", "zone", account).random())
    if rhythm.zones == "countries":
        return utc_offset_h(people.countries[account], u)
    return round((u - 0.5) * rhythm.zone_spread_h)


def after(clock: Clock, t_s: float, wait_s: float) -> float:
    """Give the moment at which `wait_s` have passed on a clock since `t_s`."""
    return t_s + wait_s if clock is None else clock.after(t_s, wait_s)


def wait_until(law: Mixture, clock: Clock, now_s: float, u_part: float, u_size: float) -> float:
    """Give when a wait ends that begins now; short ones run on the wall clock, long ones on this."""
    part, is_long = law.part(u_part)
    return after(clock if is_long else None, now_s, part.at(u_size))


def rate(clock: Clock, t_s: float) -> float:
    """Give how busy this hour is for somebody, 1 on average."""
    return 1.0 if clock is None else clock.rate(t_s)


def keeps(clock: Clock, t_s: float, u: float) -> bool:
    """Say whether what happens at `t_s` stays when a stream is thinned to this clock's hours."""
    return clock is None or u * clock.peak < clock.rate(t_s)


def moments(per_day: float, clock: Clock, start_s: float, end_s: float, draws: Rows) -> Iterator[float]:
    """Give the moments of a Poisson process on somebody's clock, in [start_s, end_s), ascending.

    Args:
        per_day: how many a day on average, 0 or more.
        draws: rows of one number or more; the first is used, one row per moment.
    """
    t_s = start_s
    while per_day * _LONGEST_S > DAY_S:
        t_s = after(clock, t_s, -math.log1p(-draws.row()[0]) * DAY_S / per_day)
        if t_s >= end_s:
            return
        yield t_s
