"""Accounts with several devices, some of them often offline, whose people write to each other now and then.

Accounts 0 and 1, 2 and 3, … write to each other; an odd last one writes with account 0. Texts of each
direction are a Poisson process, written on the first device. Further devices are of the platforms that the
run has, in turn. The last devices of an account come and go: the times online and offline are exponential,
independent of each other and of everything else, and begin in their long run. It is meant for questions about
what devices must hear of each other, for which it does not matter when people write; `everyday` has the
measured rhythms. All numbers are assumptions, and keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Device, Intent, Presence, Wish, order_of
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.draws import Luck, Rows
from sessionsim.workload.lengths import message
from sessionsim.workload.patterns.active_pairs import pairs


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of linked devices."""

    devices: int = setting(
        4,
        doc="Devices of each account.",
        source="Assumption: a phone, a tablet, two computers",
        low=1,
        high=8,
    )
    often_offline: int = setting(
        2,
        doc="How many of them, the last ones, come and go; the others are always online.",
        source="Assumption: chosen per question",
        low=0,
        high=7,
    )
    online_share_prob: float = setting(
        0.15,
        unit="prob",
        doc="Share of time in which a device that comes and goes is online.",
        source="Assumption: a computer that is used in the evening",
        low=0.001,
        high=0.999,
    )
    offline_mean_us: int = setting(
        20 * US_PER_H,
        unit="us",
        doc="Mean time for which it is offline; exponential, so that it is sometimes gone for days.",
        source="Assumption: about once a day",
        low=US_PER_MIN,
        high=60 * US_PER_DAY,
    )
    texts_per_day: float = setting(
        10.0,
        doc="Texts a day that an account writes to each of its partners.",
        source="Assumption: chosen per question",
        low=0.01,
        high=1000.0,
    )

    def __post_init__(self) -> None:
        if self.often_offline >= self.devices:
            allowed = f"fewer than the {self.devices} devices, since texts are written on one that is online"
            raise InvalidInput("often_offline", self.often_offline, allowed)


@PATTERNS.register(config=Config, source="Assumption: a plain process for questions about device groups")
class LinkedDevices:
    """Pairs that write now and then; each account has several devices, some often offline."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes."""
        return frozenset({"device", "online", "text"})

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Wish]:
        """Give all wishes in time order.

        Args:
            people: who takes part.
            horizon_us: times are in [0, horizon_us).
            seeds: streams used: ("workload", "linked", a, b) for texts, ("workload", "coming", a, device) and
                ("workload", "there", a) for devices.
        """
        wishes: list[Wish] = []
        for a, b in pairs(len(people)):
            for sender, recipient in ((a, b), (b, a)):
                wishes += self._texts(sender, recipient, horizon_us, seeds)
        kinds = sorted(set(people.platforms))
        for account, platform in enumerate(people.platforms):
            after = kinds[kinds.index(platform) :] + kinds[: kinds.index(platform)]
            wishes += self._devices(account, after, horizon_us, seeds)
        return sorted(wishes, key=order_of)

    def _texts(self, sender: int, recipient: int, horizon_us: int, seeds: Seeds) -> Iterator[Intent]:
        rows, mean_us = Rows(seeds, 3, "linked", sender, recipient), US_PER_DAY / self._config.texts_per_day
        t_us, number = 0.0, 0
        while True:
            u_gap, u_length, u_text = rows.row()
            t_us += -math.log1p(-u_gap) * mean_us
            if t_us >= horizon_us:
                return
            yield Intent(int(t_us), sender, recipient, message(u_length, u_text), number)
            number += 1

    def _devices(self, account: int, platforms: list[str], horizon_us: int, seeds: Seeds) -> Iterator[Wish]:
        """Give an account's devices, of those platforms in turn, and when they are online."""
        config = self._config
        for device in range(config.devices):
            if device:
                yield Device(0, account, device, platforms[device % len(platforms)])
            if device < config.devices - config.often_offline:
                yield Presence(0, account, device, "online", True, 0)
            else:
                yield from self._coming_and_going(account, device, horizon_us, seeds)

    def _coming_and_going(
        self, account: int, device: int, horizon_us: int, seeds: Seeds
    ) -> Iterator[Presence]:
        config, rows = self._config, Rows(seeds, 1, "coming", account, device)
        share = config.online_share_prob
        mean_us = {False: config.offline_mean_us, True: config.offline_mean_us * share / (1 - share)}
        # Without memory, a time that is under way is as long from now on as one that begins now.
        on, t_us, number = Luck(seeds, "there", account).at(device) < share, 0.0, 0
        while t_us < horizon_us:
            yield Presence(int(t_us), account, device, "online", on, number)
            t_us += max(1.0, -math.log1p(-rows.row()[0]) * mean_us[on])
            on, number = not on, number + 1
