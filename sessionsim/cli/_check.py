"""`check`: is this scenario right?"""

from __future__ import annotations

import typer

from sessionsim.cli._options import Overrides, ScenarioPath, load, load_points
from sessionsim.experiment import preflight


def check(scenario: ScenarioPath, set_: Overrides = None) -> None:
    """Check a scenario, its files included, without running it."""
    chosen = load(scenario, set_)
    preflight(chosen)
    points = load_points(scenario, set_)
    for point in points:
        preflight(point.scenario)
    clients, seeds = len(chosen.platforms), len(chosen.seeds)
    changed = sum(bool(line["changed"]) for line in chosen.settings)
    typer.echo(
        f"{chosen.name}: right. {clients} clients, {seeds} seeds"
        f"{', one opened' if chosen.opening else ''}, {len(chosen.vantages)} vantages, "
        f"{changed} of {len(chosen.settings)} settings changed"
        f"{f'; a sweep of {len(points)} values' if points else ''}."
    )
