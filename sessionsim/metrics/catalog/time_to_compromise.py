"""When a coalition first stands around an account, over months: survival curves, all or nothing per account.

From the path-only engine (`truth/months.parquet`), per observer and platform: first bad guard, first moment
with a bad guard and a bad member of the account's swarm (address and account at once), first path with both
ends bad. Accounts that are never met are watched to the end and counted as such. Accounts of a seed share one
coalition, so the interval is over seeds; with fewer than three over accounts, which is too narrow.

Beside each share stands what the nodes cost to stake, and beside selective denial its closed form.

Source: metrics 2a (time to first compromise), 0.3 (right-censored times); threat-model 4 (stake).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.core.units import US_PER_DAY
from sessionsim.core.view import Table
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading, share, units_of
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics.closed_forms.paths import compromised_if_working

EVENTS: Final = (
    ("guard", "a bad guard"),
    ("guard_and_replica", "a bad guard and a bad replica"),
    ("guard_and_last", "both ends of a path"),
)
DAYS: Final = (1, 2, 5, 10, 14, 30, 60, 90, 180, 365)  # Source: metrics 0.3 (1, 14, 30, 180), and between
STAKE: Final = 25_000.0  # SESH per node. Source: threat-model 2; docs of the staking requirement
_HONEST: Final = 3  # positions of a path. Source: transport 4


@METRICS.register(config=NoSettings, source="metrics 2a, 0.3; threat-model 4; Johnson et al., CCS 2013")
class TimeToCompromise:
    """Share of accounts that a coalition has stood around by a day, per observer and platform."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Take over the first times of each observer and platform."""
        months = replicate.months
        samples: dict[str, np.ndarray] = {}
        if not months:
            return Counts()
        for observer, platform in _groups(months):
            mine = (months["observer"] == observer) & (months["platform"] == platform)
            for name in ("works", "owned", *(f"{event}_us" for event, _ in EVENTS)):
                samples[f"{observer}, {platform}|{name}"] = floats(months[name][mine])
            for name in ("bad", "nodes", "swarm_share", "horizon_us"):
                samples[f"{observer}, {platform}|{name}"] = floats(months[name][mine][:1])
        return Counts({}, samples)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give one share per event and day, and what selective denial makes of fresh paths."""
        groups = list(dict.fromkeys(key.partition("|")[0] for c in counts for key in c.samples))
        found: list[Reading] = []
        for group in groups:
            having = [c for c in counts if f"{group}|bad" in c.samples]
            for event, words in EVENTS:
                found += _curve(having, group, event, words)
            found.append(_denial(having, group))
        return found


def _groups(months: Table) -> list[tuple[str, str]]:
    pairs = zip(months["observer"].tolist(), months["platform"].tolist(), strict=True)
    return list(dict.fromkeys((str(a), str(b)) for a, b in pairs))


def _one(counts: Sequence[Counts], group: str, name: str) -> float:
    return float(np.mean([c.samples[f"{group}|{name}"][0] for c in counts]))


def _curve(counts: Sequence[Counts], group: str, event: str, words: str) -> list[Reading]:
    horizon = min(float(c.samples[f"{group}|horizon_us"][0]) for c in counts)
    times = [c.samples[f"{group}|{event}_us"] for c in counts]
    bad, nodes = _one(counts, group, "bad"), _one(counts, group, "nodes")
    observer, _, platform = group.rpartition(", ")
    found = []
    for day in DAYS:
        until = day * US_PER_DAY
        if until > horizon:
            continue
        met = [(one >= 0) & (one <= until) for one in times]
        value = share(units_of([(floats(hits), np.ones(len(hits))) for hits in met]), bound_over="unit")
        numbers = {
            "by us": float(until), "accounts": float(sum(map(len, times))),
            "met": float(sum(m.sum() for m in met)),
            "at risk": float(sum((~m).sum() for m in met)), "bad nodes": bad, "nodes": nodes,
            "stake SESH": bad * STAKE,
        }  # fmt: skip
        name = f"{observer}: {words}, {platform}: by {day} d"
        found.append(reading("time-to-compromise", name, "prob", value, counts=numbers))
    return found


def _denial(counts: Sequence[Counts], group: str) -> Reading:
    """Share of working paths whose ends are both the coalition's, when it drops all that do not profit it."""
    works, owned = ([c.samples[f"{group}|{name}"] for c in counts] for name in ("works", "owned"))
    value = share(units_of(list(zip(owned, works, strict=True))), bound_over="unit")
    f = _one(counts, group, "bad") / _one(counts, group, "nodes")
    numbers = {"working": float(sum(map(np.sum, works))), "owned": float(sum(map(np.sum, owned)))}
    numbers["both ends if none is dropped"] = f * f
    return reading(
        "time-to-compromise",
        f"{group}: owned among working paths under selective denial",
        "prob",
        value,
        counts=numbers,
        baseline=compromised_if_working(f, _HONEST),
        baseline_name="closed form: f^2/(f^2+(1-f)^3)",
    )
