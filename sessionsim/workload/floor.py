"""Who has the floor: people who write to one place, a group or a room.

The gaps between messages in one place follow the measured two-part law of one person's sends, scaled to the
rate of the place: talk in groups comes in sittings too (Seufert et al. 2015 model it by a semi-Markov
process; metrics 4.3). Short gaps run on the wall clock, long ones on the clock of the place. The next writer
is the last one again, or chosen by how much each takes part and how busy the hour is where each lives.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.workload.clock import DAY_S
from sessionsim.workload.draws import Luck, Rows
from sessionsim.workload.fits import SEND_GAP, SESSION_GAP_S
from sessionsim.workload.rhythm import Clock, after, rate, wait_until


@dataclass(frozen=True)
class Floors:
    """Settings of talk in groups and rooms."""

    place_sigma: float = setting(
        1.0,
        doc="Spread of activity between places: standard deviation of ln(messages per member).",
        source="Assumption: as between people (metrics 4.1)",
        low=0.0,
        high=3.0,
    )
    same_writer_share: float = setting(
        0.3,
        unit="prob",
        doc="Probability that whoever wrote last in a place goes on within the same sitting.",
        source="Assumption: people write in bursts; in pairs it is 1 - .686 = .31 (metrics 4.1)",
        low=0.0,
        high=1.0,
    )


class Floor:
    """The floor of one place.

    Args:
        name: "group" or "room"; number: which.
        per_day: messages a day, above 0.
        writer_sigma: spread of how much members take part, standard deviation of ln(share).
        clock: of the place; clocks: of all accounts.
        seeds: streams used: ("workload", "floor", name, number); luck ("part", name, number), row: account.
    """

    def __init__(
        self,
        name: str,
        number: int,
        per_day: float,
        writer_sigma: float,
        settings: Floors,
        clock: Clock,
        clocks: Sequence[Clock],
        seeds: Seeds,
    ) -> None:
        self._law = SEND_GAP.with_mean(DAY_S / per_day)
        self._settings, self._sigma = settings, writer_sigma
        self._clock, self._clocks = clock, clocks
        self._draws = Rows(seeds, 4, "floor", name, number)
        self._part = Luck(seeds, "part", name, number)
        self._shares: dict[int, float] = {}
        self._last_s, self._last = -math.inf, -1
        self.next_s = 0.0

    def open(self, now_s: float, *, in_the_middle: bool) -> None:
        """Begin, either with a gap or in the middle of one, as a moment meets it that nobody chose."""
        u_part, u_size, u_share, _ = self._draws.row()
        if in_the_middle:
            left_s, is_long = self._law.residual(u_part, u_size, u_share)
            self.next_s = after(self._clock if is_long else None, now_s, left_s)
        else:
            self.next_s = wait_until(self._law, self._clock, now_s, u_part, u_size)

    def speak(self, members: Sequence[int]) -> int:
        """Let somebody (of at least one) write at `next_s`, and plan the next message."""
        u_part, u_size, u_same, u_who = self._draws.row()
        now_s = self.next_s
        goes_on = now_s - self._last_s <= SESSION_GAP_S and u_same < self._settings.same_writer_share
        writer = self._last if goes_on and self._last in members else self._choose(members, now_s, u_who)
        self._last_s, self._last = now_s, writer
        self.next_s = wait_until(self._law, self._clock, now_s, u_part, u_size)
        return writer

    def _choose(self, members: Sequence[int], now_s: float, u: float) -> int:
        sums = list(accumulate(self._share(a) * rate(self._clocks[a], now_s) for a in members))
        return members[min(bisect_right(sums, u * sums[-1]), len(members) - 1)]

    def _share(self, account: int) -> float:
        found = self._shares.get(account)
        if found is None:
            found = self._shares[account] = math.exp(self._sigma * self._part.normal(account))
        return found


def activity(luck: Luck, row: int, sigma: float) -> float:
    """Give how active a place is beside others, log-normal with mean 1."""
    return math.exp(sigma * luck.normal(row) - sigma**2 / 2)
