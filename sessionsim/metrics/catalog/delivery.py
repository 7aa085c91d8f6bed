"""How many messages arrive.

A message counts when its intent lies in the measured phase. It is delivered when the recipient's device
handed it over, and lost when its sender gave up. What is unfinished when the run ends (still being sent,
or stored and not yet fetched, which a swarm allows for 14 days) is censored: it is counted apart and is
neither delivered nor lost (design, Scenario files).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading, share, units_of
from sessionsim.metrics._registry import METRICS, NoSettings

# The outcomes of core.truth; the last two are unfinished.
OUTCOMES = ("delivered", "failed", "stored", "censored")


@METRICS.register(config=NoSettings, source="metrics 0.3 (unit of replication, zero events)")
class Delivery:
    """Share of messages delivered, censored ones counted apart."""

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count measured messages per sender and outcome."""
        rows = replicate.measured_messages()
        messages = replicate.truth.messages
        senders = messages["sender"][rows].astype(np.int64)
        outcomes = messages["outcome"][rows].astype(str)
        return Counts(
            {
                name: np.bincount(senders[outcomes == name], minlength=replicate.n_accounts).astype(
                    np.float64
                )
                for name in OUTCOMES
            }
        )

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the share delivered of what was decided, and the share that was not."""
        decided = [c.sums["delivered"] + c.sums["failed"] for c in counts]
        open_ended = [c.sums["stored"] + c.sums["censored"] for c in counts]
        numbers = {name: sum(c.total(name) for c in counts) for name in OUTCOMES}
        numbers["messages"] = sum(numbers.values())
        delivered = [(c.sums["delivered"], n) for c, n in zip(counts, decided, strict=True)]
        unfinished = [(o, o + n) for o, n in zip(open_ended, decided, strict=True)]
        return [
            reading(
                "delivery",
                "delivered",
                "prob",
                share(units_of(delivered)),
                counts=numbers,
                baseline=1.0,
                baseline_name="a network without loss",
            ),
            reading(
                "delivery",
                "unfinished at the end",
                "prob",
                share(units_of(unfinished)),
                counts=numbers,
                baseline=0.0,
                baseline_name="a run without end",
            ),
        ]
