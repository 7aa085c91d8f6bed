"""How the set of service nodes and their swarms changed during the measured phase.

Numbers are a day, of a hundred nodes that are active at the start. A node that is taken out for a while is
one that left, and one that came when it serves again. Nothing is said of a network that stands still.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import mean, reading, units_of
from sessionsim.metrics._registry import METRICS, NoSettings

# Events of `network.membership.happenings`, and what the readings call them.
_NODES = {
    "node joined": "nodes of 100 that began to serve, a day",
    "node left": "nodes of 100 that ceased to serve, a day",
    "node moved": "nodes of 100 that changed their swarm, a day",
}
_SWARMS = {"swarm created": "swarms created", "swarm dissolved": "swarms dissolved"}
_STILL = "a network that stands still"


@METRICS.register(config=NoSettings, source="client-behaviour 7.2 (churn); metrics 0.3 (unit of replication)")
class NodeChurn:
    """Nodes that come, go and change swarm a day, and swarms that come up and dissolve."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count events of the measured phase; nothing where no block changed anything."""
        truth = replicate.truth
        what = truth.events["what"].astype(str)
        if not (what == "block").any():
            return Counts()
        time = truth.events["t_us"].astype(np.int64)
        inside = (time >= truth.start_us) & (time < truth.end_us)
        sums = {name: floats([(inside & (what == name)).sum()]) for name in (*_NODES, *_SWARMS)}
        sums["100 node days"] = floats([len(replicate.nodes.active) / 100 * replicate.measured_days])
        sums["runs"] = floats([1])
        return Counts(sums)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give nodes a day, and swarms in the measured phase of a run."""
        having = [one for one in counts if one.total("runs")]
        found = []
        for names, trials in ((_NODES, "100 node days"), (_SWARMS, "runs")):
            for name, title in names.items() if having else ():
                per_seed = [(one.sums[name], one.sums[trials]) for one in having]
                numbers = {key: sum(one.total(key) for one in having) for key in (name, trials)}
                found.append(
                    reading(
                        "node-churn", title, "count", mean(units_of(per_seed, "seed")),
                        counts=numbers, baseline=0.0, baseline_name=_STILL,
                    )
                )  # fmt: skip
        return found
