"""What it takes to get into the swarm of one chosen account, by registering nodes (A6).

Per number of registrations the share of campaigns with a node in the swarm, with most of it, and with all of
it; beside them the stake that is locked, and for the first aim two closed forms. Nodes that could land in any
swarm would reach a chosen one with 1 - (1 - 1/S)^m; the network places newcomers in the small swarms, so that
hardly any falls into one that has been reached, and more are: that form is the baseline. It ends where swarms
are so full that a new one is formed. To read the mail of one account one member is enough; to withhold it,
all.

Source: transport 2.3 (placement); metrics 2a (Sybil and eclipse cost), 2g (eclipse); threat-model 4, Q6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import Units, reading, share
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics.catalog.time_to_compromise import STAKE
from sessionsim.metrics.closed_forms.paths import swarm_reached

AFTER: Final = (10, 20, 50, 100, 150, 200, 250, 300, 400, 500, 750, 1000)  # Assumption: where the curve bends
_AIMS: Final = ("a member", "most members", "all members")


@METRICS.register(config=NoSettings, source="metrics 2a, 2g; threat-model 4, Q6")
class SwarmCapture:
    """Share of campaigns that reach, dominate or own the swarm of a chosen account."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Mark, per campaign and number of registrations, how far it has come."""
        table = replicate.campaigns
        if not table:
            return Counts()
        campaigns = int(table["campaign"].max()) + 1
        own, size = (table[name].astype(np.int64).reshape(campaigns, -1) for name in ("own", "size"))
        samples = {
            "swarms": floats(table["swarms"][:1]),
            "by rule": floats(table["by_rule_prob"][: own.shape[1]]),
        }
        for many in (m for m in AFTER if m <= own.shape[1]):
            now, whole = own[:, many - 1], size[:, many - 1]
            for aim, reached in zip(_AIMS, (now > 0, 2 * now > whole, now == whole), strict=True):
                samples[f"{aim}|{many}"] = floats(reached)
        return Counts({}, samples)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the share of campaigns per aim and number of registrations."""
        having = [c for c in counts if "swarms" in c.samples]
        if not having:
            return []
        swarms = round(float(np.mean([c.samples["swarms"][0] for c in having])))
        found = []
        for aim in _AIMS:
            for many in AFTER:
                name = f"{aim}|{many}"
                if name not in having[0].samples:
                    continue
                hits = np.concatenate([c.samples[name] for c in having])
                value = share(Units(hits, np.ones(len(hits)), "account", len(hits)))
                numbers = {
                    "campaigns": float(len(hits)),
                    "reached": float(hits.sum()),
                    "stake SESH": many * STAKE,
                }
                closed = None
                if aim == _AIMS[0]:
                    numbers["placed at random"] = swarm_reached(swarms, many)
                    known = [float(c.samples["by rule"][many - 1]) for c in having]
                    closed = None if np.isnan(known).any() else float(np.mean(known))
                named = replace(
                    value, interval=value.interval.replace("account", "campaign"), n_unit="campaign"
                )
                found.append(
                    reading(
                        "swarm-capture",
                        f"{aim} after {many} registrations",
                        "prob",
                        named,
                        counts=numbers,
                        baseline=closed,
                        baseline_name="closed form: placed in the smaller swarms"
                        if closed is not None
                        else "",
                    )
                )
        return found
