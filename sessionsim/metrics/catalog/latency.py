"""How long what people write takes, of what came so far: stored, or delivered.

A message and one of its readers count, as in `delivery`. Three stretches: from the wish to send until the
sender's device knows that the message is stored, from there until the recipient's device hands it over (0 if
that came first: other replicas may serve it before the sender has its answer), and end to end. Values are
pooled over seeds; intervals are over seeds (over the accounts of the senders when there are fewer than
three), see `metrics._intervals`.

A quantile is given only when at least `min_beyond` values lie beyond it: p50 needs 20 messages, p95 200,
p99 1,000 by default. It is the rule of metrics 0.3 for rates ("no TPR at an FPR below 10/n") read for
quantiles. Times of messages that are lost or unfinished are not in the samples; `delivery` counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.core.arrivals import arrivals
from sessionsim.core.readings import Reading
from sessionsim.core.settings import setting
from sessionsim.metrics._counts import Counts, FloatArray
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._registry import METRICS
from sessionsim.metrics._times import readings_of_times

# Name of the stretch, column it starts at, column it ends at.
STRETCHES = (
    ("intent to stored", "intent_us", "stored_us"),
    ("stored to delivered", "stored_us", "delivered_us"),
    ("end to end", "intent_us", "delivered_us"),
)
QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the latency metric."""

    min_beyond: int = setting(
        10,
        doc="Values that must be expected beyond a quantile before it is given",
        source="metrics 0.3: no rate below 10/n",
        low=1,
    )


@METRICS.register(config=Config, source="metrics 0.3; Woodruff, JASA 47, 1952")
class Latency:
    """Time from intent to stored, from stored to delivered, and end to end."""

    def __init__(self, config: object) -> None:
        assert isinstance(config, Config)
        self._min_beyond = config.min_beyond

    def tally(self, replicate: Replicate) -> Counts:
        """Collect the times (µs) of measured messages, with their senders in parallel."""
        messages = replicate.truth.messages
        got = arrivals(messages, replicate.truth.deliveries)
        rows = got["message"].astype(np.int64)
        times = {
            "intent_us": messages["intent_us"][rows].astype(np.int64),
            "stored_us": messages["stored_us"][rows].astype(np.int64),
            "delivered_us": got["delivered_us"].astype(np.int64),
        }
        samples: dict[str, FloatArray] = {}
        for name, begin, end in STRETCHES:
            start, stop = times[begin], times[end]
            seen = (start >= 0) & (stop >= 0)
            samples[name] = np.maximum(stop[seen] - start[seen], 0).astype(np.float64)
            samples[f"{name}, sender"] = messages["sender"][rows][seen].astype(np.float64)
        return Counts({"accounts": np.array([replicate.n_accounts], dtype=np.float64)}, samples)

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give mean, p50, p95 and p99 of each stretch."""
        found: list[Reading] = []
        for name, _, _ in STRETCHES:
            found += readings_of_times(
                "latency", name, counts, f"{name}, sender", QUANTILES, self._min_beyond
            )
        return found
