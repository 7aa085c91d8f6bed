"""`coalitions`: the smallest sets of observers of a stored run that learn each secret."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sessionsim.cli._options import Json
from sessionsim.core.sights import MinimalCoalition
from sessionsim.experiment import minimal_coalitions

_FORMAT = 1


def coalitions(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Results of a scenario, or one replicate.")],
    observers: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="NAMES",
            help="Observers to combine, with commas, as for `knows`. Default: those of the scenario.",
        ),
    ] = "",
    largest: Annotated[
        int | None, typer.Option("--largest", help="Most observers in a set. Default: any number.")
    ] = None,
    json_: Json = False,
) -> None:
    """Show the smallest sets of observers that learn each secret, and of what share of it.

    Of a set only what it learns and no part of it does is counted; sets that learn nothing so are left out.
    """
    names = [name.strip() for name in observers.split(",") if name.strip()]
    found = minimal_coalitions(folder, names, largest)
    if json_:
        content = {"format": _FORMAT, "coalitions": [asdict(one) for one in found]}
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    if not found:
        typer.echo("No set of these observers learns any secret in this run.")
    secret = ""
    for one in found:
        if one.secret != secret:
            secret = one.secret
            typer.echo(secret)
        typer.echo(_line(one))


def _line(one: MinimalCoalition) -> str:
    return (
        f"  {' + '.join(one.members)}: {one.alone:,} of {one.total:,} ({one.share:.1%}) that no part of it"
        f" learns; {one.known:,} in all"
    )
