"""`run`: simulate a scenario, deduce, measure, write the report."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

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

from sessionsim.cli._options import Json, Overrides, ScenarioPath, Seed, SeedSpan, Workers, load, processes
from sessionsim.core.errors import InvalidInput
from sessionsim.experiment import Finished, check_folder, forget, preflight, run_scenario, whole_replicates
from sessionsim.experiment import Progress as Reached
from sessionsim.report import stored_answers, write_report
from sessionsim.scenario import Scenario

_JSON_FORMAT = 1


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
    chosen = load(scenario, set_, seed, seeds)
    folder = out or Path("results") / chosen.name
    check_folder(folder, chosen.seeds)
    preflight(chosen)
    try:
        if fresh:
            forget(folder)
        finished = _finish(chosen, folder, processes(workers), quiet)
        page = write_report(folder)
    except OSError as wrong:
        hint = f"{wrong.strerror or wrong}{f': {wrong.filename}' if wrong.filename else ''}."
        raise InvalidInput("--out", str(folder), "a folder that can be written to", hint) from wrong
    _tell(chosen, finished, page, json_)


def _finish(scenario: Scenario, folder: Path, workers: int, quiet: bool) -> Finished:
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
            line = bar.add_task(scenario.name, total=1.0)

            def watch(reached: Reached) -> None:
                about = f"{scenario.name}: {reached.done} of {reached.total} replicates"
                bar.update(line, completed=reached.share, description=about)

            return run_scenario(scenario, folder, workers, watch)
    except KeyboardInterrupt:
        total = len(scenario.seeds) + (scenario.opening is not None)
        done = whole_replicates(scenario, folder)
        kept = f"Interrupted: {done} of {total} replicates lie whole in {folder}."
        print(f"{kept} The same command goes on from there.", file=sys.stderr)
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
