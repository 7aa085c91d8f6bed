"""A whole run: all replicates of a scenario, then the readings of all seeds together."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sessionsim
from sessionsim.core.readings import Reading
from sessionsim.experiment.attacking import attack_all, check_attacks
from sessionsim.experiment.folder import alone, check_folder, is_ours, is_replicate
from sessionsim.experiment.manifest import common_facts, is_whole, replicate_hash, write_manifest
from sessionsim.experiment.pool import run_tasks
from sessionsim.experiment.readings_file import write_reading_table, write_readings
from sessionsim.experiment.replicate import Outcome
from sessionsim.experiment.stage import Task, interference_of, positions_of, spec_of, tasks_of, training_tasks
from sessionsim.experiment.version2_facts import version2_facts
from sessionsim.metrics import Tallies, readings_of
from sessionsim.network.world import build
from sessionsim.scenario import Scenario

_PARTIAL = re.compile(r"\.\d+\.partial-\d+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. Args: share: 0..1 of all simulated time; done, total: replicates."""

    share: float
    done: int
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A finished run. Args: folder: of all seeds; reused: how many replicates were already there."""

    folder: Path
    seeds: tuple[int, ...]
    reused: int
    readings: list[Reading]


def preflight(scenario: Scenario) -> None:
    """Build the first world and let observers choose: what is wrong shows before anything is written.

    Raises:
        InvalidInput, StorageDamaged: the scenario cannot be run as it is.
    """
    spec = spec_of(scenario, tasks_of(scenario)[0], horizon_us=1)
    scene = build(spec).scene
    positions = positions_of(scenario, scene, spec.seeds)
    interference_of(scenario, scene, positions, spec)
    check_attacks(scenario, positions, len(scene.nodes))


def run_scenario(
    scenario: Scenario, out: Path, workers: int = 1, watch: Callable[[Progress], None] | None = None
) -> Finished:
    """Run every replicate that is not there yet, and write the readings of all seeds.

    Args:
        scenario: a resolved scenario that passed `preflight`.
        out: the folder of all seeds; made if need be.
        workers: processes to use.
        watch: told about progress several times a second.

    Raises:
        InvalidInput: the folder holds files of others where results would go, or another run uses it.
        KeyboardInterrupt: stopped by a person; finished replicates stay, the same call goes on from them.
    """
    begun = time.perf_counter()
    tasks, horizon = tasks_of(scenario), scenario.run.horizon_us
    everything = tasks + training_tasks(scenario)

    def relay(reached: Sequence[int]) -> None:
        if watch is not None:
            share = sum(reached) / (horizon * len(everything))
            watch(Progress(share, sum(t >= horizon for t in reached), len(everything)))

    check_folder(out, (task.seed for task in everything))
    with alone(out):
        for task in everything:
            for stale in out.glob(f".{task.seed}.partial-*"):
                shutil.rmtree(stale)
        outcomes = run_tasks(scenario, everything, out, workers, relay)[: len(tasks)]
        attacked = attack_all(scenario, [task.seed for task in tasks], out, workers)
        return _gather(scenario, tasks, out, outcomes, attacked, begun)


def _gather(
    scenario: Scenario,
    tasks: Sequence[Task],
    out: Path,
    outcomes: Sequence[Outcome],
    attacked: Sequence[Tallies],
    begun: float,
) -> Finished:
    """Write what all replicates say together."""
    verdicts = {one.seed: one for one in attacked}
    tallies = [_joined(outcome.tallies, verdicts.get(outcome.seed)) for outcome in outcomes]
    found = readings_of(tallies)
    for one in tallies:  # what is said of verdicts stands with the replicate too
        write_reading_table(out / str(one.seed) / "readings.parquet", readings_of([one]))
    seeds = tuple(sorted(task.seed for task in tasks))
    facts = {
        "format": 1,
        "version": sessionsim.__version__,
        "scenario": scenario.name,
        "title": scenario.title,
        "question": scenario.question,
        "seeds": list(seeds),
        "opened": [task.seed for task in tasks if task.keep_bytes],
        **version2_facts(scenario),
    }
    if is_ours(out / "sweep.json"):
        (out / "sweep.json").unlink()  # what lies here now is no sweep
    write_readings(out, facts, found)
    own = {"seeds": list(seeds), "opened": facts["opened"]}
    write_manifest(out, common_facts(scenario) | own, {"run_s": time.perf_counter() - begun})
    return Finished(out, seeds, sum(outcome.reused for outcome in outcomes), found)


def _joined(plain: Tallies, verdicts: Tallies | None) -> Tallies:
    """Lay the counts of verdicts over those made before there were any."""
    return plain if verdicts is None else Tallies(plain.seed, {**plain.counts, **verdicts.counts})


def whole_replicates(scenario: Scenario, out: Path) -> int:
    """Count the replicates of a scenario that lie finished in a folder."""
    return sum(is_whole(out / str(task.seed), replicate_hash(scenario, task)) for task in tasks_of(scenario))


def forget(out: Path) -> None:
    """Remove what earlier runs left in a folder: replicates, readings, report. Nothing else is touched."""
    if out.is_dir():
        with alone(out):
            _forget(out)


def _forget(out: Path) -> None:
    for path in sorted(out.iterdir()):
        whole = is_replicate(path) and (path / "manifest.json").is_file()
        if whole or (path.is_dir() and _PARTIAL.match(path.name)):
            shutil.rmtree(path)
    for name in ("readings.json", "manifest.json", "sweep.json"):
        if is_ours(out / name):
            (out / name).unlink()
    if is_ours(out / "report.html"):
        (out / "report.html").unlink()
        for figure in (out / "figures").glob("*.svg"):
            figure.unlink()
