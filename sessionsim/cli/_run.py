"""`run`: simulate a scenario, deduce, measure, write the report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sessionsim.cli._options import (
    Json,
    Overrides,
    ScenarioPath,
    Seed,
    SeedSpan,
    Workers,
    load,
    load_points,
    processes,
)  # fmt: skip
from sessionsim.core.errors import InvalidInput
from sessionsim.experiment import (
    Finished,
    check_folder,
    check_sweep,
    folders_of,
    forget,
    forget_sweep,
    preflight,
    run_scenario,
    run_sweep,
    sights_of,
    version2_facts,
    whole_replicates,
)
from sessionsim.experiment import Progress as Reached
from sessionsim.report import stored_answers, sweep_lines, write_report, write_sweep
from sessionsim.scenario import Point, Scenario

_JSON_FORMAT = 1
_Result = TypeVar("_Result")


def _folder(name: str) -> Path:
    if not name:
        raise typer.BadParameter("an empty name; give a folder, or leave --out away")
    return Path(name)


def run(
    scenario: ScenarioPath,
    seed: Seed = None,
    seeds: SeedSpan = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", parser=_folder, metavar="DIR", help="Folder of the results. Default: results/<scenario>."
        ),
    ] = None,
    set_: Overrides = None,
    workers: Workers = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    json_: Json = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Discard what earlier runs left in the folder.")
    ] = False,
) -> None:
    """Run a scenario and write its report; go on where an interrupted run stopped."""
    chosen, points = load(scenario, set_, seed, seeds), load_points(scenario, set_, seed, seeds)
    folder = out or Path("results") / chosen.name
    if points:
        _sweep(chosen, points, folder, processes(workers), quiet, json_, fresh)
        return
    check_folder(folder, chosen.seeds)
    preflight(chosen)
    try:
        if fresh:
            forget(folder)
        finished = _finish(chosen, folder, processes(workers), quiet)
        page = write_report(folder, sights_of(folder))
    except OSError as wrong:
        raise _cannot_write(folder, wrong) from wrong
    _tell(chosen, finished, page, json_)


def _cannot_write(folder: Path, wrong: OSError) -> InvalidInput:
    hint = f"{wrong.strerror or wrong}{f': {wrong.filename}' if wrong.filename else ''}."
    return InvalidInput("--out", str(folder), "a folder that can be written to", hint)


def _sweep(
    scenario: Scenario, points: Sequence[Point], folder: Path, workers: int, quiet: bool, as_json: bool,
    fresh: bool,
) -> None:  # fmt: skip
    """Run all values of a sweep, each into a folder of its own, and write the page that compares them."""
    assert scenario.sweep is not None
    sweep = scenario.sweep
    check_sweep(points, folder)
    for point in points:
        preflight(point.scenario)
    try:
        if fresh:
            forget_sweep(points, folder)
        run = partial(run_sweep, sweep, points, folder, workers)
        finished = _with_progress(scenario.name, run, lambda: _kept(points, folder), quiet)
        for one in finished:
            write_report(one.folder, sights_of(one.folder))
        page = write_sweep(folder)
    except OSError as wrong:
        raise _cannot_write(folder, wrong) from wrong
    if as_json:
        content = {
            "format": _JSON_FORMAT,
            "scenario": scenario.name,
            "folder": str(folder),
            "report": str(page),
            "keys": list(sweep.keys),
            "points": [
                {
                    **version2_facts(point.scenario),
                    "value": point.label,
                    "folder": str(one.folder),
                    "reused": one.reused,
                    "readings": [asdict(reading) for reading in one.readings],
                }
                for point, one in zip(points, finished, strict=True)
            ],
        }
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    for line in sweep_lines(folder):
        typer.echo(line)
    typer.echo(f"Report: {page}")


def _kept(points: Sequence[Point], folder: Path) -> str:
    folders = folders_of(points, folder)
    whole = sum(whole_replicates(point.scenario, one) for point, one in zip(points, folders, strict=True))
    total = sum(len(point.scenario.seeds) + (point.scenario.opening is not None) for point in points)
    return f"{whole} of {total} replicates lie whole in {folder}."


def _finish(scenario: Scenario, folder: Path, workers: int, quiet: bool) -> Finished:
    def kept() -> str:
        total = len(scenario.seeds) + (scenario.opening is not None)
        return f"{whole_replicates(scenario, folder)} of {total} replicates lie whole in {folder}."

    return _with_progress(scenario.name, partial(run_scenario, scenario, folder, workers), kept, quiet)


def _with_progress(
    name: str, run: Callable[[Callable[[Reached], None]], _Result], kept: Callable[[], str], quiet: bool
) -> _Result:
    """Show how far something is that runs. Args: kept: says what is there when a person stops it."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    try:
        with Progress(
            *columns, console=console, transient=True, disable=quiet or not console.is_terminal
        ) as bar:
            line = bar.add_task(name, total=1.0)

            def watch(reached: Reached) -> None:
                about = f"{name}: {reached.done} of {reached.total} replicates"
                bar.update(line, completed=reached.share, description=about)

            return run(watch)
    except KeyboardInterrupt:
        print(f"Interrupted: {kept()} The same command goes on from there.", file=sys.stderr)
        raise typer.Exit(130) from None


def _tell(scenario: Scenario, finished: Finished, page: Path, as_json: bool) -> None:
    answers = stored_answers(finished.folder)
    if as_json:
        content = {
            "format": _JSON_FORMAT,
            "scenario": scenario.name,
            "folder": str(finished.folder),
            "report": str(page),
            "seeds": list(finished.seeds),
            "reused": finished.reused,
            **version2_facts(scenario),
            "answers": list(answers),
            "readings": [asdict(reading) for reading in finished.readings],
        }
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    if finished.reused:
        count = f"{finished.reused} of {len(finished.seeds)} replicates"
        print(f"{count} were there already and were kept; --fresh runs them again.", file=sys.stderr)
    for answer in answers:
        typer.echo(answer)
    typer.echo(f"Report: {page}")
