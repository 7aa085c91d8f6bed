"""`check`: is this scenario right?"""

from __future__ import annotations

import typer

from sessionsim.cli._options import Overrides, ScenarioPath, load
from sessionsim.experiment import preflight


def check(scenario: ScenarioPath, set_: Overrides = None) -> None:
    """Check a scenario, its files included, without running it."""
    chosen = load(scenario, set_)
    preflight(chosen)
    clients, seeds = len(chosen.platforms), len(chosen.seeds)
    changed = sum(bool(line["changed"]) for line in chosen.settings)
    typer.echo(
        f"{chosen.name}: right. {clients} clients, {seeds} seeds"
        f"{', one opened' if chosen.opening else ''}, {len(chosen.vantages)} vantages, "
        f"{changed} of {len(chosen.settings)} settings changed."
    )
