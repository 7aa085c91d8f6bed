"""What a run will cost, measured on a short sample of the very same world.

The sample runs the first simulated seconds of one replicate, in memory, and what it takes is scaled to the
whole. Its first part, in which every client connects, is left out of the rate but counted once.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Final

from sessionsim.core.columns import DTYPE
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position, Scene
from sessionsim.experiment.stage import Task, positions_of, spec_of, tasks_of, watched_by
from sessionsim.network.world import build
from sessionsim.scenario import Scenario

_SAMPLE_US: Final = 12_000_000  # Assumption: two polls of the slowest platform after the first ones
_STORED_SHARE: Final = 0.3  # Assumption: zstd leaves about so much of a row; measured on first-look


@dataclass(frozen=True, slots=True)
class Forecast:
    """Cost of a run on this machine, by extrapolation.

    Args:
        seconds: wall-clock time with the workers given, without deduction and metrics.
        rows: recorded transmissions of all replicates.
        disk_bytes: size of all replicates.
        messages: intents of all replicates inside the measured phase.
        sample_s: what the sample itself took.
    """

    seconds: float
    rows: int
    disk_bytes: int
    messages: int
    sample_s: float


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    rows: int
    disk_bytes: int
    messages: int


def forecast(scenario: Scenario, workers: int) -> tuple[Forecast, Scene, dict[str, Position]]:
    """Sample each kind of replicate once and scale up; give also the scene and places of the first."""
    begun = time.perf_counter()
    tasks = tasks_of(scenario)
    costs: dict[tuple[str, bool], _Cost] = {}
    shown: tuple[Scene, dict[str, Position]] | None = None
    for task in tasks:
        kind = (task.suite, task.keep_bytes)
        if kind not in costs:
            costs[kind], scene, positions = _sample(scenario, task)
            shown = shown or (scene, positions)
    assert shown is not None
    each = [costs[task.suite, task.keep_bytes] for task in tasks]
    longest = max(cost.seconds for cost in each)
    wall = max(longest, sum(cost.seconds for cost in each) / min(workers, len(tasks)))
    total = Forecast(
        wall,
        sum(cost.rows for cost in each),
        sum(cost.disk_bytes for cost in each),
        sum(cost.messages for cost in each),
        time.perf_counter() - begun,
    )
    return total, *shown


def _sample(scenario: Scenario, task: Task) -> tuple[_Cost, Scene, dict[str, Position]]:
    begun = time.perf_counter()
    horizon = scenario.run.horizon_us
    span = min(_SAMPLE_US, horizon)
    messages = sum(t >= scenario.run.warmup_us for t, *_ in spec_of(scenario, task).intents)
    spec = spec_of(scenario, task, span)
    world = build(spec)
    positions = positions_of(scenario, world.scene, spec.seeds)
    sink = MemoryRecords()
    marks = [(0, time.perf_counter(), 0, 0)]

    def mark(t_us: int) -> None:
        kept = sum(map(len, sink.blobs.values())) if task.keep_bytes else 0
        marks.append((t_us, time.perf_counter(), len(sink.buffer), kept))

    world.run(sink, watched_by(positions), task.keep_bytes, mark)
    rows = len(sink.table()["src"])
    kept = sum(map(len, sink.blobs.values()))
    ended = time.perf_counter()
    begin = marks[len(marks) // 2]
    left = horizon - span
    rate = left / max(1, span - begin[0])
    seconds = (ended - begun) + rate * (ended - begin[1])
    # After a spill the buffer is shorter than at the mark; then the mean over all of the sample is taken.
    later_rows = max(rows - begin[2] // DTYPE.itemsize, 0)
    all_rows = rows + math.ceil(rate * later_rows)
    disk = int(all_rows * DTYPE.itemsize * _STORED_SHARE + kept + rate * (kept - begin[3]))
    return _Cost(seconds, all_rows, disk, messages), world.scene, positions
