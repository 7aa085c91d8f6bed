"""`report`: build the page again from stored files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sessionsim.experiment import sights_of
from sessionsim.report import write_report, write_sweep


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Results of a scenario, or one replicate of it.")
    ],
) -> None:
    """Build report.html again from the stored files of a run."""
    if (folder / "sweep.json").is_file():
        typer.echo(f"Report: {write_sweep(folder)}")
        return
    is_replicate = folder.name.isdigit() and (folder / "truth").is_dir()
    run = folder.parent if is_replicate else folder
    typer.echo(f"Report: {write_report(run, sights_of(run))}")
