"""The family of metrics: what a drop-in in `metrics/catalog` must offer, and where it is registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sessionsim.core.readings import Reading
from sessionsim.core.registry import Registry
from sessionsim.metrics._counts import Counts
from sessionsim.metrics._facts import Replicate


@dataclass(frozen=True, slots=True)
class NoSettings:
    """The config of a metric that has nothing to set."""


class Metric(Protocol):
    """One family of readings: counts per replicate that add, and readings from one counts per seed."""

    def tally(self, replicate: Replicate) -> Counts:
        """Count in one replicate, or in one shard of it."""

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Estimate, with intervals, from one `Counts` per seed."""


class MetricFactory(Protocol):
    """Makes a metric from its settings."""

    def __call__(self, config: object) -> Metric:
        """Give the metric. Args: config: an instance of the class it was registered with."""


METRICS: Registry[MetricFactory] = Registry("metric", "sessionsim.metrics.catalog")
