"""`knows`: what observers of a stored run know, alone and together, without simulating again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sessionsim.cli._options import Json
from sessionsim.core.ledger import sentence
from sessionsim.experiment import Knowledge, knows
from sessionsim.report import matrix_of

_FORMAT = 1
_SHOWN = 20  # facts of a coalition listed without being asked for all


def knows_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Results of a scenario, or one replicate.")],
    observers: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="NAMES",
            help="Observers of the run, or kinds of vantages, with commas; kinds may be shortened, and set:"
            " phrase-thief:client=2:at=30 s.",
        ),
    ],
    all_facts: Annotated[
        bool, typer.Option("--all", help="List all facts that only the coalition has.")
    ] = False,
    json_: Json = False,
) -> None:
    """Show who learned what, for any observers and for all of them together, from stored files alone.

    Kinds of vantages, such as guard or swarm-member, are taken with their default settings where none are
    given, as far as what they would see was recorded; what was not is told.
    """
    names = [name.strip() for name in observers.split(",") if name.strip()]
    found = knows(folder, list(dict.fromkeys(names)))
    if json_:
        typer.echo(json.dumps(_content(found), ensure_ascii=False))
        return
    seeds = ", ".join(map(str, found.seeds))
    typer.echo(
        f'Who learned what, from the kept bytes of seed {seeds}. "not seen here" is said of this run only.'
    )
    for name, missing in found.left_out.items():
        typer.echo(f"{name}: {missing:,} endpoints of this observer were not recorded and are left out.")
    for name, note in found.notes.items():
        typer.echo(f"{name}: {note}")
    typer.echo(matrix_of(found.readings, found.observers))
    if found.surplus:
        shown = found.surplus if all_facts else found.surplus[:_SHOWN]
        typer.echo(f"Known together and by none alone: {len(found.surplus):,} facts.")
        for fact in shown:
            typer.echo(f"  {fact.t_us / 1e6:.3f} s  {sentence(fact.relation, fact.subject, fact.object)}")
        if len(shown) < len(found.surplus):
            typer.echo(f"  and {len(found.surplus) - len(shown):,} more; --all lists them")


def _content(found: Knowledge) -> dict[str, object]:
    return {
        "format": _FORMAT,
        "seeds": list(found.seeds),
        "observers": list(found.observers),
        "left_out": found.left_out,
        "notes": found.notes,
        "readings": [asdict(reading) for reading in found.readings],
        "surplus": [asdict(fact) for fact in found.surplus],
    }
