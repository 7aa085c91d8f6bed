"""Accounts with several devices, some of them often offline, whose people write to each other now and then.

Accounts 0 and 1, 2 and 3, … write to each other; an odd last one writes with account 0. Texts of each
direction are a Poisson process, written on the first device. Further devices are of the platforms that the
run has, in turn. The last devices of an account come and go: the times online and offline are exponential,
independent of each other and of everything else, and begin in their long run. It is meant for questions about
what devices must hear of each other, for which it does not matter when people write; `everyday` has the
measured rhythms. All numbers are assumptions, and keys.

Guests are devices beside these that are linked for a while and go again: borrowed ones, or lost ones. How
long they stay and are away is exponential too; the first device admits each, and takes some of them out;
others leave by themselves. A guest is online while it is linked, and a little longer, so that what it says
when it goes is heard.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Device, DeviceChange, Intent, Presence, Wish, order_of
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.draws import Luck, Rows
from sessionsim.workload.lengths import message
from sessionsim.workload.patterns.active_pairs import pairs

MOST_DEVICES: Final = 8  # Assumption: what tests cover; a group message has room for 28 (protocol-v2 8.2)
_LEAST_STAY_US: Final = 30 * US_PER_MIN  # Assumption: longer than linking takes
_LINGER_US: Final = 10 * US_PER_MIN  # Assumption: a device is not switched off the moment that it goes


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
    varied: bool = setting(
        False,
        doc="Whether accounts differ: account k has 1 + k mod `devices` of them; otherwise all have as many.",
        source="Assumption: chosen per question",
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
    guests: int = setting(
        0,
        doc="Devices beside these that are linked for a while and go again, time after time.",
        source="Assumption: none; chosen per question",
        low=0,
        high=7,
    )
    guest_away_us: int = setting(
        US_PER_DAY,
        unit="us",
        doc="Mean time until a guest is linked, from the beginning or from when it went; exponential.",
        source="Assumption: chosen per question",
        low=10 * US_PER_MIN,
        high=365 * US_PER_DAY,
    )
    guest_stay_us: int = setting(
        US_PER_DAY,
        unit="us",
        doc="Mean time for which a guest stays linked; exponential, at least half an hour.",
        source="Assumption: chosen per question",
        low=10 * US_PER_MIN,
        high=365 * US_PER_DAY,
    )
    guests_removed_prob: float = setting(
        0.5,
        unit="prob",
        doc="Share of goings in which the first device takes the guest out; otherwise it leaves by itself.",
        source="Assumption: as many are lost or forgotten as are given back",
        low=0.0,
        high=1.0,
    )
    removed_twice_prob: float = setting(
        0.0,
        unit="prob",
        doc="Share of these in which the second device takes it out too, at the same moment, so that two "
        "devices change the account's keys at once.",
        source="Assumption: nobody does; chosen per question",
        low=0.0,
        high=1.0,
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
        if self.removed_twice_prob and self.devices - self.often_offline < 2:
            allowed = "nothing, unless two devices are always online"
            raise InvalidInput("removed_twice_prob", self.removed_twice_prob, allowed)
        if self.varied and self.guests:
            raise InvalidInput("guests", self.guests, "0 where accounts differ in their devices")
        if self.devices + self.guests > MOST_DEVICES:
            allowed = (
                f"at most {MOST_DEVICES - self.devices}, as an account has at most {MOST_DEVICES} devices"
            )
            raise InvalidInput("guests", self.guests, allowed)


@PATTERNS.register(config=Config, source="Assumption: a plain process for questions about device groups")
class LinkedDevices:
    """Pairs that write now and then; each account has several devices, some often offline."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes."""
        changes = {"device-change"} if self._config.guests else set[str]()
        return frozenset({"device", "online", "text"} | changes)

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Wish]:
        """Give all wishes in time order.

        Args:
            people: who takes part.
            horizon_us: times are in [0, horizon_us).
            seeds: streams used: ("workload", "linked", a, b) for texts, ("workload", "coming", a, device) and
                ("workload", "there", a) for devices, ("workload", "guest", a, device) for guests.
        """
        wishes: list[Wish] = []
        for a, b in pairs(len(people)):
            for sender, recipient in ((a, b), (b, a)):
                wishes += self._texts(sender, recipient, horizon_us, seeds)
        kinds = sorted(set(people.platforms))
        for account, platform in enumerate(people.platforms):
            after = kinds[kinds.index(platform) :] + kinds[: kinds.index(platform)]
            wishes += self._devices(account, after, horizon_us, seeds)
            wishes += self._guests(account, after, horizon_us, seeds)
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
        devices = 1 + account % config.devices if config.varied else config.devices
        for device in range(devices):
            if device:
                yield Device(0, account, device, platforms[device % len(platforms)])
            if device < max(1, devices - config.often_offline):
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

    def _guests(self, account: int, platforms: list[str], horizon_us: int, seeds: Seeds) -> Iterator[Wish]:
        """Give an account's guests, when they are linked and how they go."""
        config, changes = self._config, list[DeviceChange]()
        for device in range(config.devices, config.devices + config.guests):
            yield Device(0, account, device, platforms[device % len(platforms)], linked=False)
            yield Presence(0, account, device, "online", False, 0)
            changes += self._visits(account, device, horizon_us, seeds)
        seen = dict.fromkeys(range(config.devices, config.devices + config.guests), 0)
        for number, change in enumerate(sorted(changes, key=lambda one: (one.t_us, one.number, one.device))):
            yield replace(change, number=number)
            guest = change.subject if change.what == "remove" else change.device
            if change.what == "remove" and change.device == 1:  # the second to take it out
                continue
            seen[guest] += 1
            comes = change.what == "link"
            t_us = change.t_us if comes else change.t_us + _LINGER_US
            if t_us < horizon_us:
                yield Presence(t_us, account, guest, "online", comes, seen[guest])

    def _visits(self, account: int, device: int, horizon_us: int, seeds: Seeds) -> Iterator[DeviceChange]:
        """Give the comings and goings of one guest, numbered by the guest for the time being."""
        config, rows, t_us = self._config, Rows(seeds, 4, "guest", account, device), 0.0
        while True:
            u_away, u_stay, u_how, u_twice = rows.row()
            # Away for as long at least as it lingers, so that its presence changes in turn.
            t_us += _LINGER_US + 1 - math.log1p(-u_away) * config.guest_away_us
            if t_us >= horizon_us:
                return
            yield DeviceChange(int(t_us), account, device, "link", 0, device)
            t_us += max(_LEAST_STAY_US, -math.log1p(-u_stay) * config.guest_stay_us)
            if t_us >= horizon_us:
                return
            if u_how < config.guests_removed_prob:
                by = (0, 1) if u_twice < config.removed_twice_prob else (0,)
                yield from (DeviceChange(int(t_us), account, one, "remove", device, device) for one in by)
            else:
                yield DeviceChange(int(t_us), account, device, "leave", device, device)
