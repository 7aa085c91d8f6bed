"""What a run will cost on this machine, measured on short samples of the very same world.

Each kind of replicate is run for some simulated seconds, into a temporary folder, with storing, deduction
and metrics: the shorter sample twice, the longer one once. They give a fixed part and a part per simulated
second, which is scaled to the whole. Processor time is measured, which other programs disturb least.

Two samples differ by little, and what they differ by is scaled up, so their noise is too. The two short
samples, which should cost the same, tell how large it is, and the forecast is given with the range that it
leaves. No cost is larger than if nothing of the longer sample were fixed; where the samples contradict each
other (the longer one was no dearer), that bound is the forecast. Where activity changes over the day the
sample is not the mean, and the forecast errs with it, range included.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

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
_NOISE: Final = 0.05  # Assumption: two measurements of one work differ by a twentieth at least


@dataclass(frozen=True, slots=True)
class Forecast:
    """Cost of a run, by extrapolation; drawing the report comes on top.

    Args:
        seconds: time with the workers given, each on a processor of its own.
        least_s, most_s: range of `seconds` that the noise of the samples leaves.
        rows: recorded transmissions of all replicates.
        disk_bytes: size of all replicates.
        messages: intents of all replicates inside the measured phase.
        sample_s: what the samples themselves took.
    """

    seconds: float
    least_s: float
    most_s: float
    rows: int
    disk_bytes: int
    messages: int
    sample_s: float


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a sample of a replicate cost. Args: horizon_us: its simulated time; seconds: processor time."""

    horizon_us: int
    seconds: float
    rows: float
    disk_bytes: float


class _Span(NamedTuple):
    """Seconds of a replicate: as forecast, and the range."""

    seconds: float
    least_s: float
    most_s: float


def extend(short: _Cost, long: _Cost, noise: float, horizon_us: int) -> tuple[_Span, float, float]:
    """Extend the lines through two samples to a horizon.

    Args:
        noise: relative difference between measurements of the same work.

    Returns:
        Seconds, with their range; rows; bytes on disk. Each is at least that of the longer sample and at most
        what it is if nothing is fixed.
    """
    reach = (horizon_us - short.horizon_us) / (long.horizon_us - short.horizon_us)

    def line(a: float, b: float) -> float:
        most = b * horizon_us / long.horizon_us
        return min(max(a + reach * (b - a), b), most) if b > a else most

    a, b = short.seconds, long.seconds
    least, seconds, most = (
        line(a * (1 + noise), max(b * (1 - noise), a * (1 + noise) + 1e-9)),
        line(a, b),
        line(a * (1 - noise), b * (1 + noise)),
    )
    span = _Span(seconds, min(least, seconds), max(most, seconds))
    return span, line(short.rows, long.rows), line(short.disk_bytes, long.disk_bytes)


def forecast(scenario: Scenario, workers: int) -> tuple[Forecast, Scene, dict[str, Position]]:
    """Sample each kind of replicate and scale up; give also the scene and the places of the first."""
    begun = time.perf_counter()
    tasks = tasks_of(scenario)
    first = spec_of(scenario, tasks[0])
    scene = build(first).scene
    costs: dict[tuple[str, bool], tuple[_Span, float, float]] = {}
    for task in tasks:
        kind = (task.suite, task.keep_bytes)
        if kind not in costs:
            costs[kind] = _whole_cost(scenario, task)
    each = [costs[task.suite, task.keep_bytes] for task in tasks]
    used = min(workers, len(tasks))

    def wall(seconds: Sequence[float]) -> float:
        return max(max(seconds), sum(seconds) / used) + (_START_S if used > 1 else 0)

    per_task = sum(intent.t_us >= scenario.run.warmup_us for intent in first.intents)
    total = Forecast(
        seconds=wall([span.seconds for span, _, _ in each]),
        least_s=wall([span.least_s for span, _, _ in each]),
        most_s=wall([span.most_s for span, _, _ in each]),
        rows=round(sum(rows for _, rows, _ in each)),
        disk_bytes=round(sum(size for _, _, size in each)),
        messages=per_task * len(tasks),
        sample_s=time.perf_counter() - begun,
    )
    return total, scene, positions_of(scenario, scene, first.seeds)


def _whole_cost(scenario: Scenario, task: Task) -> tuple[_Span, float, float]:
    """Run a replicate for short horizons, or in whole if it is short itself, and scale to its own."""
    horizon = scenario.run.horizon_us
    # What is made once per process should not count as cost of the first sample.
    _sample(scenario, task, min(US_PER_S, horizon))
    if horizon <= _LONG_US:
        whole = _sample(scenario, task, horizon)
        spread = whole.seconds * _NOISE
        span = _Span(whole.seconds, whole.seconds - spread, whole.seconds + spread)
        return span, whole.rows, whole.disk_bytes
    short, again, long = (_sample(scenario, task, t_us) for t_us in (_SHORT_US, _SHORT_US, _LONG_US))
    if again.seconds < short.seconds:
        short, again = again, short
    noise = max(_NOISE, again.seconds / short.seconds - 1)
    return extend(short, long, noise, horizon)


def _sample(scenario: Scenario, task: Task, horizon_us: int) -> _Cost:
    run = replace(scenario.run, warmup_us=0, duration_us=horizon_us, drain_us=0)
    begun = time.process_time()
    with tempfile.TemporaryDirectory(prefix="sessionsim-") as folder:
        run_replicate(replace(scenario, run=run), task, Path(folder), lambda t_us: None)
        seconds = time.process_time() - begun
        stored = Path(folder) / str(task.seed)
        disk = sum(path.stat().st_size for path in stored.rglob("*") if path.is_file())
        return _Cost(horizon_us, seconds, read_manifest(stored)["replicate"]["rows"], disk)
