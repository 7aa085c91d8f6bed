"""What a run will cost on this machine, measured on short samples of the very same world.

Each kind of replicate is run twice for some simulated seconds, into a temporary folder, with storing,
deduction and metrics. The two give a fixed part and a part per simulated second, which is scaled to the
whole. Where activity changes over the day the sample is not the mean, and the forecast errs with it.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sessionsim.core.scene import Position, Scene
from sessionsim.core.units import US_PER_S
from sessionsim.experiment.manifest import read_manifest
from sessionsim.experiment.replicate import run_replicate
from sessionsim.experiment.stage import Task, positions_of, spec_of, tasks_of
from sessionsim.network.world import build
from sessionsim.scenario import Scenario

# Assumption: clients have connected after 8 s, and 40 s more hold many polls of every platform.
_SHORT_US: Final = 8 * US_PER_S
_LONG_US: Final = 48 * US_PER_S
_START_S: Final = 2.0  # Assumption: starting worker processes and importing the program


@dataclass(frozen=True, slots=True)
class Forecast:
    """Cost of a run, by extrapolation; drawing the report comes on top.

    Args:
        seconds: wall-clock time with the workers given.
        rows: recorded transmissions of all replicates.
        disk_bytes: size of all replicates.
        messages: intents of all replicates inside the measured phase.
        sample_s: what the samples themselves took.
    """

    seconds: float
    rows: int
    disk_bytes: int
    messages: int
    sample_s: float


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    rows: float
    disk_bytes: float

    def at(self, longer: _Cost, reach: float) -> _Cost:
        """Extend the line from this cost to a longer sample's until `reach` times their distance."""

        def extend(a: float, b: float) -> float:
            return a + reach * max(b - a, 0)

        return _Cost(
            extend(self.seconds, longer.seconds),
            extend(self.rows, longer.rows),
            extend(self.disk_bytes, longer.disk_bytes),
        )


def forecast(scenario: Scenario, workers: int) -> tuple[Forecast, Scene, dict[str, Position]]:
    """Sample each kind of replicate and scale up; give also the scene and the places of the first."""
    begun = time.perf_counter()
    tasks = tasks_of(scenario)
    first = spec_of(scenario, tasks[0])
    scene = build(first).scene
    costs: dict[tuple[str, bool], _Cost] = {}
    for task in tasks:
        kind = (task.suite, task.keep_bytes)
        if kind not in costs:
            costs[kind] = _whole_cost(scenario, task)
    each = [costs[task.suite, task.keep_bytes] for task in tasks]
    used = min(workers, len(tasks))
    wall = max(max(cost.seconds for cost in each), sum(cost.seconds for cost in each) / used)
    per_task = sum(intent.t_us >= scenario.run.warmup_us for intent in first.intents)
    total = Forecast(
        seconds=wall + (_START_S if used > 1 else 0),
        rows=round(sum(cost.rows for cost in each)),
        disk_bytes=round(sum(cost.disk_bytes for cost in each)),
        messages=per_task * len(tasks),
        sample_s=time.perf_counter() - begun,
    )
    return total, scene, positions_of(scenario, scene, first.seeds)


def _whole_cost(scenario: Scenario, task: Task) -> _Cost:
    """Run a replicate for two short horizons, or in whole if it is short itself, and scale to its own."""
    horizon = scenario.run.horizon_us
    if horizon <= _LONG_US:
        return _sample(scenario, task, horizon)
    _sample(
        scenario, task, US_PER_S
    )  # what is made once per process should not count as cost of the short one
    short, long = _sample(scenario, task, _SHORT_US), _sample(scenario, task, _LONG_US)
    return short.at(long, (horizon - _SHORT_US) / (_LONG_US - _SHORT_US))


def _sample(scenario: Scenario, task: Task, horizon_us: int) -> _Cost:
    run = replace(scenario.run, warmup_us=0, duration_us=horizon_us, drain_us=0)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="sessionsim-") as folder:
        run_replicate(replace(scenario, run=run), task, Path(folder), lambda t_us: None)
        seconds = time.perf_counter() - begun
        stored = Path(folder) / str(task.seed)
        disk = sum(path.stat().st_size for path in stored.rglob("*") if path.is_file())
        return _Cost(seconds, read_manifest(stored)["replicate"]["rows"], disk)
