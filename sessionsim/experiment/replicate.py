"""One replicate: simulate, store, deduce, count. Written under a temporary name, renamed when whole."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sessionsim.core.storage import RecordWriter, write_truth
from sessionsim.experiment.analysis import write_ledgers
from sessionsim.experiment.manifest import common_facts, is_whole, replicate_hash, write_manifest
from sessionsim.experiment.months import write_months
from sessionsim.experiment.readings_file import write_reading_table
from sessionsim.experiment.stage import (
    Task,
    interference_of,
    knowing,
    operated_by,
    positions_of,
    spec_of,
    watched_by,
)
from sessionsim.experiment.stored import (
    assemble,
    write_actions,
    write_hauls,
    write_scene,
    write_version2,
)
from sessionsim.metrics import Replicate, Tallies, readings_of, tally
from sessionsim.network.thefts import thefts_of
from sessionsim.network.world import build
from sessionsim.scenario import Scenario

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replicate sends home. Args: reused: it was already there, whole."""

    seed: int
    reused: bool
    tallies: Tallies


def run_replicate(scenario: Scenario, task: Task, out: Path, tell: Tell) -> Outcome:
    """Run one replicate into `out/<seed>`, or take the whole one that is there.

    Args:
        scenario: a resolved scenario.
        task: which replicate.
        out: the folder of all seeds.
        tell: told the simulated time reached, in µs, now and then; may raise to stop.

    Raises:
        InvalidInput: the scenario cannot be built after all.
        OSError: the disk does not take it.
    """
    target = out / str(task.seed)
    wanted = replicate_hash(scenario, task)
    if is_whole(target, wanted):
        tell(scenario.run.horizon_us)
        return Outcome(task.seed, True, tally(_unattacked(target, task)))
    partial = out / f".{task.seed}.partial-{os.getpid()}"
    partial.mkdir(parents=True)
    try:
        tallies = _fill(partial, scenario, task, wanted, tell)
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Outcome(task.seed, False, tallies)


def _unattacked(folder: Path, task: Task) -> Replicate:
    """Read a replicate without the verdicts of an earlier run, which may be others than those wanted now."""
    return assemble(folder, task.seed, task.suite)


def _fill(folder: Path, scenario: Scenario, task: Task, wanted: str, tell: Tell) -> Tallies:
    begun = time.perf_counter()
    spec = spec_of(scenario, task)
    world = build(spec)
    positions = positions_of(scenario, world.scene, spec.seeds)
    built = time.perf_counter()
    meddler = interference_of(scenario, world.scene, positions, spec)
    thefts = thefts_of(positions.values(), world.scene, spec.epoch_ms) if task.keep_bytes else None
    writer, owned = RecordWriter(folder), operated_by(positions)
    try:
        truth = world.run(
            writer, watched_by(positions), task.keep_bytes, tell, owned=owned, meddler=meddler, thefts=thefts
        )
    finally:
        writer.close()
    write_truth(folder, truth)
    write_scene(folder, world.scene, world.endpoints, positions)
    write_version2(folder, spec.version2)
    if meddler is not None:
        write_actions(folder, meddler.actions(), knowing(scenario))
    if thefts is not None:
        write_hauls(folder, thefts.hauls())
    write_months(folder, scenario, positions, task.seed)
    simulated = time.perf_counter()
    facts = write_ledgers(folder, task.suite) if task.keep_bytes else 0
    counted = tally(assemble(folder, task.seed, task.suite))
    write_reading_table(folder / "readings.parquet", readings_of([counted]))
    measured = {"rows": writer.rows, "kept_bytes": writer.kept_bytes, "facts": facts}
    durations = {
        "build_s": built - begun,
        "simulate_s": simulated - built,
        "analyse_s": time.perf_counter() - simulated,
    }
    own = asdict(task) | {"hash": wanted, "replicate": measured}
    write_manifest(folder, common_facts(scenario) | own, durations)
    tell(scenario.run.horizon_us)
    return counted
