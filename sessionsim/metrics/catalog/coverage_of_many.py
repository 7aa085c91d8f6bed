"""Where a coalition stands around thousands of accounts on their first day: bad guard, bad replica, both.

From the path-only engine (`truth/months.parquet`): accounts in the swarms of the node list, with the guards
their platform chooses, before any of them changes. The closed form beside each share takes as many nodes
chosen uniformly and the actual sizes of the swarms, guards in the own swarm counted once: for a coalition
that is chosen uniformly it is the expectation; for whole hosts, networks or countries it says whether
owning them pays.

Accounts of a seed share one coalition, so the interval is over seeds; with fewer than three over accounts,
which is too narrow.

Source: metrics 2a (hypergeometric, swarm coverage); threat-model 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading, share, units_of
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics.closed_forms.coverage import Coverage, Shape, mean_coverage

TITLES: Final = {"replica": "bad replica", "guard": "bad guard", "both": "both"}
_SHAPE: Final = ("swarm", "guards", "around")


@METRICS.register(config=NoSettings, source="metrics 2a (hypergeometric closed form), threat-model 4")
class CoverageOfMany:
    """Shares of thousands of accounts with a bad replica, a bad guard, both, per observer and platform."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Mark the accounts that are covered on the first day, and count the shapes of all."""
        months = replicate.months
        sums: dict[str, np.ndarray] = {}
        for observer, platform in _groups(months):
            mine = (months["observer"] == observer) & (months["platform"] == platform)
            name = f"{observer}, {platform}"
            replica, guard = months["replica"][mine].astype(bool), months["guard_us"][mine] == 0
            for event, hit in (("replica", replica), ("guard", guard), ("both", replica & guard)):
                sums[f"{name}|{event}"] = floats(hit)
            sums[f"{name}|bad"] = floats(months["bad"][mine][:1])
            sums[f"{name}|nodes"] = floats(months["nodes"][mine][:1])
            shapes = np.stack([months[part][mine].astype(np.int64) for part in _SHAPE], axis=1)
            for shape, number in zip(*np.unique(shapes, axis=0, return_counts=True), strict=True):
                sums[f"{name}|shape {' '.join(map(str, shape.tolist()))}"] = floats([number])
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the three shares per observer and platform, each beside its closed form."""
        groups = list(dict.fromkeys(key.partition("|")[0] for c in counts for key in c.sums))
        return [one for group in groups for one in _three(counts, group)]


def _groups(months: object) -> list[tuple[str, str]]:
    if not months:
        return []
    assert isinstance(months, dict)
    pairs = zip(months["observer"].tolist(), months["platform"].tolist(), strict=True)
    return list(dict.fromkeys((str(a), str(b)) for a, b in pairs))


def _three(counts: Sequence[Counts], group: str) -> list[Reading]:
    having = [c for c in counts if f"{group}|bad" in c.sums]
    weight = [len(c.sums[f"{group}|both"]) for c in having]
    each = [
        mean_coverage(int(c.total(f"{group}|nodes")), int(c.total(f"{group}|bad")), _shapes(c, group))
        for c in having
    ]
    closed = Coverage(*np.average(np.array(each), axis=0, weights=weight).tolist())
    observer, _, platform = group.rpartition(", ")
    numbers = {
        "accounts": float(sum(weight)),
        "bad nodes": float(np.mean([c.total(f"{group}|bad") for c in having])),
        "nodes": float(np.mean([c.total(f"{group}|nodes") for c in having])),
    }
    found = []
    for event, expected in zip(TITLES, closed, strict=True):
        hits = [c.sums[f"{group}|{event}"] for c in having]
        value = share(units_of([(one, np.ones(len(one))) for one in hits]), bound_over="unit")
        found.append(
            reading(
                "coverage-of-many", f"{observer}: {TITLES[event]}, {platform}", "prob", value,
                counts=numbers | {"covered": float(sum(one.sum() for one in hits))},
                baseline=min(max(expected, 0.0), 1.0),
                baseline_name="closed form: as many nodes chosen uniformly",
            )
        )  # fmt: skip
    return found


def _shapes(counts: Counts, group: str) -> dict[Shape, float]:
    start = f"{group}|shape "
    return {
        Shape(*(int(part) for part in key.removeprefix(start).split())): counts.total(key)
        for key in counts.sums
        if key.startswith(start)
    }
