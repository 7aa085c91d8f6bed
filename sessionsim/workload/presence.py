"""When devices are online and in front, and which device somebody uses.

People look at the messenger now and then: looks are a Poisson process on their clock, with log-normal
lengths, so the share of time in front of each platform and hour is

    looks per day × mean length / day × curve of the day (hour)

(of a computer, in the time it is on) and more by whatever the person writes, reacts or says, for which the
app must be in front. A phone is online but for gaps; a computer while it is switched on, and for a while
after its user did something. Nothing about this is published for this messenger: every number here is an
assumption, and a key.

A person with two devices uses, in each half hour, one of them. A look belongs to the device of the half hour
in which it begins, and what happens within a look to the device of the look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.intents import Device, Presence
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.workload.clock import DAY_S
from sessionsim.workload.draws import Luck, Rows
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.rhythm import Clock, moments
from sessionsim.workload.spans import Span, changes, containing, following, union, without

DESKTOP: Final = "desktop"
_PHONES: Final = ("android", "ios")
_SLOT_US: Final = 30 * US_PER_MIN  # Assumption: as long as a session lasts (metrics 4.1)
_LOOK_SIGMA: Final = 1.0  # Assumption: most looks are short, some long
_GAP_SIGMA: Final = 1.0  # Assumption: from a lift to a flight
_ON_SIGMA: Final = 0.7  # Assumption: from an hour to a working day
_LEAD_IN_S: Final = 2 * DAY_S  # Assumption: longer than practically every look, gap and sitting

Act = tuple[int, int, int]  # from when, until when (µs), on which device somebody does something


@dataclass(frozen=True)
class PresenceRules:
    """Settings of devices and their presence."""

    second_device_share: float = setting(
        0.15,
        unit="prob",
        doc="Share of accounts with a second device: a computer beside a phone, a phone beside a computer.",
        source="Assumption: about one in seven",
        low=0.0,
        high=1.0,
    )
    second_device_use: float = setting(
        0.3,
        unit="prob",
        doc="Share of half hours in which the second device is the one that is used.",
        source="Assumption: the first device is the usual one",
        low=0.0,
        high=1.0,
    )
    phone_looks_per_day: float = setting(
        20.0,
        doc="How often a day people with a phone look at the messenger without writing.",
        source="Assumption: about once in a waking hour",
        low=0.0,
        high=1000.0,
    )
    phone_look_mean_us: int = setting(
        72 * US_PER_S,
        unit="us",
        doc="Mean length of such a look; log-normal.",
        source="Assumption: as a mean use of an app, 71.56 s in Böhmer et al., MobileHCI 2011",
        low=US_PER_S,
    )
    desktop_looks_per_day: float = setting(
        40.0,
        doc="How often a day people with a computer that is on look at the messenger without writing.",
        source="Assumption: more often than on a phone, since it is only on for part of the day",
        low=0.0,
        high=1000.0,
    )
    desktop_look_mean_us: int = setting(
        3 * US_PER_MIN,
        unit="us",
        doc="Mean length of such a look; log-normal.",
        source="Assumption: longer than on a phone",
        low=US_PER_S,
    )
    front_linger_us: int = setting(
        US_PER_MIN,
        unit="us",
        doc="How long the app stays in front after somebody wrote or did something.",
        source="Assumption: until a phone locks, or something else is looked at",
        low=US_PER_S,
    )
    phone_gaps_per_day: float = setting(
        2.0,
        doc="How often a day a phone has no network.",
        source="Assumption: lifts, tunnels, flights, an empty battery",
        low=0.0,
        high=1000.0,
    )
    phone_gap_median_us: int = setting(
        10 * US_PER_MIN,
        unit="us",
        doc="Median length of such a gap; log-normal.",
        source="Assumption: minutes, now and then hours",
        low=US_PER_S,
    )
    computer_starts_per_day: float = setting(
        2.0,
        doc="How often a day a computer is switched on.",
        source="Assumption: once for work, once in the evening",
        low=0.0,
        high=1000.0,
    )
    computer_on_median_us: int = setting(
        3 * US_PER_H,
        unit="us",
        doc="Median time until it is switched off again; log-normal.",
        source="Assumption: hours",
        low=US_PER_S,
    )
    computer_linger_us: int = setting(
        30 * US_PER_MIN,
        unit="us",
        doc="How long a computer stays on, at least, after its user did something.",
        source="Assumption: as long as a session lasts (metrics 4.1)",
        low=US_PER_S,
    )

    def looks_per_day(self, platform: str) -> float:
        return self.desktop_looks_per_day if platform == DESKTOP else self.phone_looks_per_day

    def look_mean_us(self, platform: str) -> int:
        return self.desktop_look_mean_us if platform == DESKTOP else self.phone_look_mean_us


def foreground_share(rules: PresenceRules, platform: str, rate: float) -> float:
    """Give the expected share of an hour, 0..1, that looks fill. Args: rate: of the curve in that hour."""
    return rules.looks_per_day(platform) * rules.look_mean_us(platform) / US_PER_DAY * rate


class Attendance:
    """Who has which devices, looks at them when, and uses which one at a moment.

    Args:
        rules: None for one device each, which is always looked at.
        clocks: of all accounts.
        end_us: looks are drawn until then.
        seeds: streams ("workload", "looks", a), ("workload", "on" or "offline", a, device), each also with
            "length"; luck ("devices") by account and ("device", a) by half hour.
    """

    def __init__(
        self, rules: PresenceRules | None, people: People, clocks: Sequence[Clock], end_us: int, seeds: Seeds
    ) -> None:
        self._rules, self._clocks, self._seeds, self._end_us = rules, clocks, seeds, end_us
        self.platforms = [self._owned(account, people.platforms[account]) for account in range(len(people))]
        self._luck = [Luck(seeds, "device", account) for account in range(len(people))]
        self._on: dict[tuple[int, int], list[Span]] = {}
        self.looks: list[list[Span]] = [self._looks(account) for account in range(len(people))]

    def device_at(self, account: int, t_us: int) -> int:
        """Give the device that somebody uses at a moment: 0 or 1."""
        if len(self.platforms[account]) == 1:
            return 0
        look = containing(self.looks[account], t_us)
        return self._slot_device(account, t_us if look < 0 else self.looks[account][look][0])

    def platform_at(self, account: int, t_us: int) -> str:
        """Give the platform of that device."""
        return self.platforms[account][self.device_at(account, t_us)]

    def attention(self, account: int, acts: Iterable[Act]) -> list[Span]:
        """Give when somebody sees what comes in: when looking, or acting."""
        if self._rules is None:
            return [(0, self._end_us)]
        return union((*self.looks[account], *(act[:2] for act in acts)))

    def wishes(self, account: int, acts: Sequence[Act]) -> Iterator[Device | Presence]:
        """Give the devices of an account, and when each is online and in front; it is both for every act."""
        for device, platform in enumerate(self.platforms[account]):
            if device:
                yield Device(0, account, device, platform)
            acting = union(act[:2] for act in acts if act[2] == device)
            looks = (look for look in self.looks[account] if self.device_at(account, look[0]) == device)
            front = union((*looks, *acting))
            online = self._online(account, device, platform, acting)
            for what, states in (("online", online), ("foreground", front)):
                for number, (t_us, on) in enumerate(changes(states, self._end_us)):
                    yield Presence(t_us, account, device, what, on, number)

    def _owned(self, account: int, first: str) -> tuple[str, ...]:
        luck = Luck(self._seeds, "devices")
        if self._rules is None or luck.at(account, 0) >= self._rules.second_device_share:
            return (first,)
        return (first, DESKTOP if first != DESKTOP else _PHONES[int(luck.at(account, 1) * len(_PHONES))])

    def _slot_device(self, account: int, t_us: int) -> int:
        assert self._rules is not None
        return int(self._luck[account].at(t_us // _SLOT_US) < self._rules.second_device_use)

    def _looks(self, account: int) -> list[Span]:
        if self._rules is None:
            return []
        platforms = self.platforms[account]
        length = LogNormal.of_mean(self._rules.look_mean_us(platforms[0]) / US_PER_S, _LOOK_SIGMA)
        looks = self._episodes(account, self._rules.looks_per_day(platforms[0]), length, "looks", account)
        kept = []
        for begin_us, end_us in looks:
            device = self._slot_device(account, begin_us) if len(platforms) > 1 else 0
            if platforms[device] == DESKTOP:
                on = self._switched_on(account, device)
                place = containing(on, begin_us)
                end_us = min(end_us, on[place][1]) if place >= 0 else begin_us
            kept.append((begin_us, end_us))
        return union(kept)

    def _switched_on(self, account: int, device: int) -> list[Span]:
        """Give when a computer is on, whatever its user writes."""
        assert self._rules is not None
        found = self._on.get((account, device))
        if found is None:
            on = LogNormal.of_median(self._rules.computer_on_median_us / US_PER_S, _ON_SIGMA)
            per_day = self._rules.computer_starts_per_day
            found = self._on[account, device] = self._episodes(account, per_day, on, "on", account, device)
        return found

    def _online(self, account: int, device: int, platform: str, acting: list[Span]) -> list[Span]:
        """Give when a device is online: a computer while it is on, a phone always but for gaps."""
        assert self._rules is not None
        rules = self._rules
        if platform == DESKTOP:
            used = ((begin_us, end_us + rules.computer_linger_us) for begin_us, end_us in acting)
            return union((*self._switched_on(account, device), *used))
        gap = LogNormal.of_median(rules.phone_gap_median_us / US_PER_S, _GAP_SIGMA)
        gaps = self._episodes(account, rules.phone_gaps_per_day, gap, "offline", account, device)
        return without([(0, self._end_us)], [_cut(span, acting) for span in gaps])

    def _episodes(self, account: int, per_day: float, length: LogNormal, *names: str | int) -> list[Span]:
        """Give episodes that begin at moments of the account's clock, from time 0 on."""
        draws = Rows(self._seeds, 2, *names)
        sizes = Rows(self._seeds, 1, *names, "length")
        begun = moments(per_day, self._clocks[account], -_LEAD_IN_S, self._end_us / US_PER_S, draws)
        spans = ((int(t_s * US_PER_S), length.at(sizes.row()[0])) for t_s in begun)
        return [
            (max(begin, 0), end)
            for begin, end in union((t_us, t_us + max(1, int(s * US_PER_S))) for t_us, s in spans)
            if end > 0
        ]


def _cut(gap: Span, acting: list[Span]) -> Span:
    """End a gap where its owner is known to have done something; it is empty if that was its beginning."""
    begin_us, end_us = gap
    if containing(acting, begin_us) >= 0:
        return begin_us, begin_us
    place = following(acting, begin_us)
    return begin_us, min(end_us, acting[place][0]) if place < len(acting) else end_us
