"""Devices of an account that come, go and change their keys; and what becomes of two that act at once.

Of accounts of version 2 of the protocol, as publicly specified. Two changes of the account's keys *race* if
both replaced the same key: neither device knew of the other's. Both new keys are kept and the newest is used,
so a race is *settled* when every device but the one that won has learnt of another's key in place of its own;
until then people write under either, and devices that have only one of them cannot read what is under the
other. Races that are not settled at the end are counted apart.

Every member that hears of a departure changes the account's keys, even where it hears of it from a member
that has done so: `changes of account keys for a departure` says how often, for each device that left. Days
of devices are those in the group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import mean, reading, share, units_of
from sessionsim.metrics._memberships import Memberships
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._told import Told, law_of

METRIC: Final = "device-groups"
_LEFT: Final = "devices that left"
_TOLD: Final = (
    ("devices admitted", "device admitted"),
    (_LEFT, "left the group"),
    ("devices removed", "device removed"),
    ("devices displaced", "membership displaced"),
    ("devices cut off", "membership cut off"),
    ("link requests pushed", "link request pushed"),
    ("pushes that left removals out", "removals left out"),
)


class Race(NamedTuple):
    """Changes of one account's keys that replaced the same key. Args: account; changes: how many; took_us:
    from the first until all but one knew better, None if that did not happen."""

    account: int
    changes: int
    took_us: int | None


@METRICS.register(
    config=NoSettings, source="protocol-v2 5 (races), 8.1, 9 (linking, leaving, removal), 11 H1 (device keys)"
)
class DeviceGroups:
    """Changes of device keys, comings and goings of devices, and races between changes of keys."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Add up by account, over the measured phase."""
        if not (replicate.truth.accounts["version"].astype(np.int64) == 2).any():
            return Counts()
        told, n = Told(replicate), replicate.n_accounts
        found = [race for race in races(told) if race.account >= 0]
        member_days = Memberships(told).member_days
        account = np.array([race.account for race in found], dtype=np.int64)

        def add(values: Sequence[float]) -> np.ndarray:
            return np.bincount(account, np.array(values, dtype=np.float64), n)

        sums = {
            "days": told.days,
            "device days": member_days,
            "device changes": told.count(told.named("device keys changed")),
            "changes": told.count(told.named("account keys changed")),
            **{name: told.count(told.named(what)) for name, what in _TOLD},
            "followed": told.count(told.named("account keys changed for a departure")),
            "races": floats(add([1.0 for _ in found])),
            "racing": floats(add([race.changes for race in found])),
            "settled": floats(add([race.took_us is not None for race in found])),
            "settle us": floats(add([race.took_us or 0 for race in found])),
        }
        law = law_of(replicate)
        if law is not None:
            sums["expected device changes"] = floats(member_days * law.device_changes_per_day)
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give rates per account or device and day, and what became of races; nothing without version 2."""
        having = [one for one in counts if one.total("days") > 0]
        if not having:
            return []
        found = [_device_changes(having)]
        for name, _ in _TOLD:
            found.append(_rate(having, f"{name} per account and day", "count", name, "days"))
        found.append(_rate(having, "races of account keys per account and day", "count", "races", "days"))
        for name, hits, trials in (
            ("changes of account keys that raced", "racing", "changes"),
            ("races settled by the end", "settled", "races"),
        ):
            per_seed = [(one.sums[hits], one.sums[trials]) for one in having]
            numbers = {"hits": _total(having, hits), "of": _total(having, trials)}
            found.append(reading(METRIC, name, "prob", share(units_of(per_seed)), counts=numbers))
        found.append(_rate(having, "changes of account keys for a departure", "count", "followed", _LEFT))
        return [*found, _rate(having, "time until a race was settled", "us", "settle us", "settled")]


def races(told: Told) -> list[Race]:
    """Find the races among the changes of the measured phase."""
    changes: dict[tuple[int, int], list[tuple[int, int]]] = {}
    chosen = told.named("account keys changed") & told.inside & (told.value > 0)
    for row in np.flatnonzero(chosen).tolist():
        t_us = int(told.time[row])
        replaced_us = t_us - int(told.value[row])
        changes.setdefault((int(told.account[row]), replaced_us), []).append((t_us, int(told.endpoint[row])))
    ends: dict[int, list[int]] = {}  # of each device, when a key that it made was overtaken
    for row in np.flatnonzero(told.named("account keys overtaken")).tolist():
        ends.setdefault(int(told.endpoint[row]), []).append(int(told.time[row]))
    return [
        Race(account, len(made), _settled_us(made, ends))
        for (account, _), made in changes.items()
        if len({endpoint for _, endpoint in made}) > 1
    ]


def _settled_us(made: Sequence[tuple[int, int]], ends: dict[int, list[int]]) -> int | None:
    """Give how long after the first change all devices but the winner knew of another's key."""
    learnt = sorted(
        min((t_us for t_us in ends.get(endpoint, ()) if t_us >= since_us), default=-1)
        for since_us, endpoint in made
    )
    known = [t_us for t_us in learnt if t_us >= 0]
    # The winner's key goes when the next one comes, as always, so it is the last to be overtaken, if ever.
    if len(known) < len(made) - 1:
        return None
    return known[len(made) - 2] - min(t_us for t_us, _ in made)


def _device_changes(counts: Sequence[Counts]) -> Reading:
    per_seed = [(one.sums["device changes"], one.sums["device days"]) for one in counts]
    numbers = {"hits": _total(counts, "device changes"), "of": _total(counts, "device days")}
    known = all("expected device changes" in one.sums for one in counts)
    return reading(
        METRIC, "changes of device keys per device and day", "count", mean(units_of(per_seed)),
        counts=numbers,
        baseline=_total(counts, "expected device changes") / numbers["of"] if known else None,
        baseline_name="one each period, if online when due (H1)" if known else "",
    )  # fmt: skip


def _total(counts: Sequence[Counts], name: str) -> float:
    return sum(one.total(name) for one in counts)


def _rate(counts: Sequence[Counts], name: str, unit: str, hits: str, trials: str) -> Reading:
    per_seed = [(one.sums[hits], one.sums[trials]) for one in counts]
    numbers = {"hits": _total(counts, hits), "of": _total(counts, trials)}
    return reading(METRIC, name, unit, mean(units_of(per_seed)), counts=numbers)
