"""Run every metric of the catalogue: counts where the replicate is, readings where all seeds meet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._registry import METRICS, Metric


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """The counts of one seed, by id of metric. Small: this is what a worker sends home."""

    seed: int
    counts: Mapping[str, Counts]


def _metrics() -> list[tuple[str, Metric]]:
    METRICS.scan()
    return [(entry.id, entry.factory(entry.config())) for entry in METRICS]


def tally(replicate: Replicate) -> Tallies:
    """Count everything in one replicate."""
    return Tallies(replicate.seed, {name: metric.tally(replicate) for name, metric in _metrics()})


def tally_verdicts(replicate: Replicate) -> Tallies:
    """Count only what metrics of verdicts count; the others need no verdicts and have counted already."""
    reading = [(name, metric) for name, metric in _metrics() if getattr(metric, "reads_verdicts", False)]
    return Tallies(replicate.seed, {name: metric.tally(replicate) for name, metric in reading})


def readings_of(tallies: Sequence[Tallies]) -> list[Reading]:
    """Make all readings from one `Tallies` per seed; their order does not matter.

    Raises:
        LocalProtocolError: two tallies of one seed (they would count as independent), or a reading that
            contradicts itself.
    """
    ordered = sorted(tallies, key=lambda one: one.seed)
    seeds = [one.seed for one in ordered]
    if len(set(seeds)) != len(seeds):
        raise LocalProtocolError(f"two replicates of one seed among {seeds}")
    found: list[Reading] = []
    for name, metric in _metrics():
        found += metric.readings([one.counts[name] for one in ordered])
    for reading in found:
        check(reading)
    return found


def readings(replicates: Iterable[Replicate]) -> list[Reading]:
    """Count and read in one go. Replicates may be a generator: one at a time is held."""
    return readings_of([tally(replicate) for replicate in replicates])


def check(reading: Reading) -> None:
    """Hold a reading to the invariants that hold for every one (metrics 1.2(7), V28).

    Raises:
        LocalProtocolError: it has a value but no interval, an interval without the value in it, a
            probability outside 0..1, or lacks both a value and the number that would suffice: more than there
            are.
    """
    ends = (reading.low, reading.value, reading.high)
    if reading.value is None:
        sound = reading.low is None and reading.high is None
        sound = sound and reading.needed is not None and reading.needed > reading.n
    else:
        known = [end for end in ends if end is not None and math.isfinite(end)]
        sound = len(known) == 3 and known == sorted(known) and reading.needed is None
        if reading.unit == "prob":
            sound = sound and known[0] >= 0 and known[-1] <= 1 + 1e-12
    if reading.baseline is not None and reading.unit == "prob":
        sound = sound and 0 <= reading.baseline <= 1 + 1e-12
    if not sound or reading.n < 0:
        raise LocalProtocolError(f"reading {reading.metric} {reading.name!r} contradicts itself: {reading}")
