"""People with contacts, days and nights, who converse the way the measured ones do.

A contact graph with the measured numbers of contacts (`contacts.py`), and on it the dialogue process with
the measured gaps, answers and sessions (`dialogue.py`). Present-day people write more than those of 2004:
the waits between sessions are shortened until the wanted number of messages a day comes out; what happens
inside a session keeps its measured speed, and every law keeps its shape. Source: metrics 4.1.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

from sessionsim.core.intents import Intent
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.clock import DAY_S, BodyClock, day_curve
from sessionsim.workload.contacts import circles
from sessionsim.workload.dialogue import Dialogue
from sessionsim.workload.fits import LEAD_IN_DAYS, RATE_BY_SLOWNESS
from sessionsim.workload.lengths import message


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of conversations."""

    messages_per_day: float = setting(
        40.0,
        doc="Messages an account writes per day, averaged over accounts; 1.1 is the measured rate of 2004.",
        source="metrics 4.1: 30-60 a day for present-day messengers; the middle of it",
        low=0.3,
        high=140.0,
    )
    diurnal: bool = setting(
        True,
        doc="Whether people have day and night; without, every hour is alike.",
        source="metrics 4.1",
    )
    start_hour: float = setting(
        20.0,
        doc="Local hour of the day at time 0.",
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
    zone_spread_h: int = setting(
        0,
        doc="Width in hours of the time zones people live in; each gets a whole hour of it at random.",
        source="Assumption: one time zone",
        low=0,
        high=24,
    )


@PATTERNS.register(
    config=Config, source="metrics 4.1 and 4.2; the splitting into own moments and answers is ours"
)
class Conversations:
    """Contacts conversing with measured gaps, answers, sessions and hours of the day."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def intents(self, n_accounts: int, horizon_us: int, seeds: Seeds) -> list[Intent]:
        """Give all wishes in time order; none for fewer than two accounts.

        Args:
            n_accounts: people, 0 or more.
            horizon_us: times are in [0, horizon_us). The process begins earlier, so that time 0 is a
                moment like any other; what was written before is not given.
            seeds: streams as in `contacts.circles` and `Dialogue`, and ("workload", "zone", a).
        """
        people = circles(n_accounts, seeds)
        slowness = slowness_for(self._config.messages_per_day)
        dialogue = Dialogue(
            people,
            [self._clock(account, seeds) for account in range(n_accounts)],
            slowness,
            seeds,
            start_s=-LEAD_IN_DAYS * DAY_S * slowness,
        )
        last_us = horizon_us - 1  # rounding must not push a wish over the edge
        return [
            Intent(
                min(int(said.t_s * US_PER_S), last_us),
                said.sender,
                said.recipient,
                message(said.u_length, said.u_text),
            )
            for said in dialogue.until(horizon_us / US_PER_S)
            if said.t_s >= 0
        ]

    def _clock(self, account: int, seeds: Seeds) -> BodyClock | None:
        config = self._config
        if not config.diurnal:
            return None
        shift = 0
        if config.zone_spread_h:
            u = float(seeds.stream("workload", "zone", account).random())
            shift = round((u - 0.5) * config.zone_spread_h)
        return BodyClock(day_curve(config.peak_hour, config.day_night_ratio), config.start_hour + shift)


def slowness_for(messages_per_day: float) -> float:
    """Give the factor on all long waits that makes people write so many messages a day; 1 as measured.

    Args:
        messages_per_day: average over accounts, within the range of RATE_BY_SLOWNESS.
    """
    logs = [(math.log(rate), math.log(slowness)) for slowness, rate in reversed(RATE_BY_SLOWNESS)]
    place = min(max(bisect_left(logs, (math.log(messages_per_day),)), 1), len(logs) - 1)
    (x0, y0), (x1, y1) = logs[place - 1], logs[place]
    return math.exp(y0 + (y1 - y0) * (math.log(messages_per_day) - x0) / (x1 - x0))
