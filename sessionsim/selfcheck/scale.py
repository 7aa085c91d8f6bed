"""What a run costs as it grows: with clients, with simulated time, and poll by poll or in bulk.

Runs are of the whole node list, the `fast` suite and people who converse (`workload.patterns.conversations`);
one client's provider watches. Times are of the processor, not of the clock on the wall, so that a busy
machine disturbs them less.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sessionsim.core.people import People
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_H
from sessionsim.network.world import WorldSpec, build
from sessionsim.workload._registry import PATTERNS

DATE: Final = "2026-04-28"
EPOCH_MS: Final = 1_790_000_000_000
_PLATFORMS: Final = ("desktop", "android", "ios")


@dataclass(frozen=True, slots=True)
class RunCost:
    """What one run took.

    Args:
        clients, hours: its size.
        seconds: of the processor, without building the world.
        delivered: messages.
        transmissions: but those of polls in bulk; polls_in_bulk: how many these were.
        rows: recorded.
    """

    clients: int
    hours: float
    seconds: float
    delivered: int
    transmissions: int
    polls_in_bulk: int
    rows: int

    @property
    def us_per_message(self) -> float:
        """Processor time per delivered message, µs."""
        return self.seconds / max(self.delivered, 1) * 1e6


def spec_of_size(
    clients: int, hours: float, *, messages_per_day: float = 20.0, idle_polls: str = "bulk", seed: int = 1
) -> WorldSpec:
    """Give the world of so many clients, a third on each platform, for so many hours."""
    horizon_us, seeds = int(hours * US_PER_H), Seeds(seed)
    platforms = tuple(_PLATFORMS[k % len(_PLATFORMS)] for k in range(clients))
    PATTERNS.scan()
    entry = PATTERNS["conversations"]
    pattern = entry.factory(entry.config(messages_per_day=messages_per_day))
    intents = pattern.intents(People(platforms, ("DE",) * clients), horizon_us, seeds)
    return WorldSpec(
        date=DATE, platforms=platforms, intents=tuple(intents), horizon_us=horizon_us,
        measured=(0, horizon_us), seeds=seeds, epoch_ms=EPOCH_MS, idle_polls=idle_polls,
    )  # fmt: skip


def run_cost(spec: WorldSpec, *, watched: int = 1, progress: Callable[[int], None] | None = None) -> RunCost:
    """Run a world whose first `watched` clients have an observer on their link.

    Args:
        progress: told the simulated time reached now and then, µs.
    """
    world = build(spec)
    records = MemoryRecords()
    begun = time.process_time()
    truth = world.run(records, frozenset(world.scene.client_endpoints[:watched]), progress=progress)
    seconds = time.process_time() - begun
    assert world.host is not None
    return RunCost(
        len(spec.platforms),
        spec.horizon_us / US_PER_H,
        seconds,
        int((truth.messages["outcome"] == "delivered").sum()),
        world.host.transmissions + (world.passages.transmissions if world.passages is not None else 0),
        world.trains.polls if world.trains is not None else 0,
        len(records.table()["src"]),
    )
