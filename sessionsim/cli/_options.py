"""Options and steps that several verbs share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from sessionsim.core.errors import InvalidInput
from sessionsim.experiment import installed
from sessionsim.scenario import Point, Scenario, parse_seeds, points_of, read_scenario, resolve

ScenarioPath = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of one in ./scenarios.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key, for example clients.desktop=3; repeatable."
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, max=10**18, help="Run this seed instead of the scenario's.")
]
SeedSpan = Annotated[
    str | None, typer.Option("--seeds", metavar="A..B", help="Run these seeds instead of the scenario's.")
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, max=1024, help="Processes to use. Default: one per processor."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def load(
    path: Path, overrides: list[str] | None, seed: int | None = None, seeds: str | None = None
) -> Scenario:
    """Read and check a scenario, with other seeds if asked for. Raises InvalidInput."""
    scenario = resolve(read_scenario(path, overrides or ()), installed())
    if seed is not None and seeds is not None:
        raise InvalidInput("--seed and --seeds", f"{seed} and {seeds}", "one of the two")
    if seed is not None:
        return scenario.with_seeds((seed,))
    return scenario if seeds is None else scenario.with_seeds(parse_seeds(seeds, "--seeds"))


def load_points(
    path: Path, overrides: list[str] | None, seed: int | None = None, seeds: str | None = None
) -> tuple[Point, ...]:
    """Read and check the scenarios of a sweep; none if the scenario has no sweep. Raises InvalidInput."""
    whole = load(path, overrides, seed, seeds)
    if whole.sweep is None:
        return ()
    points = points_of(read_scenario(path, overrides or ()), whole.sweep, installed())
    return tuple(Point(point.label, point.scenario.with_seeds(whole.seeds)) for point in points)


def processes(workers: int | None) -> int:
    """Give the number of worker processes: what was asked for, or one per processor of ours."""
    return workers or len(os.sched_getaffinity(0))
