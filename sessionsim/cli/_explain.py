"""`explain`: how an observer of a stored run came to know a fact, step by step and byte by byte."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sessionsim.cli._options import Json
from sessionsim.core.ledger import sentence
from sessionsim.core.sights import told
from sessionsim.experiment import Found, explain_fact

_FORMAT = 1
_SHOWN = 30  # facts listed when several fit


def explain(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Results of a scenario, or one replicate.")],
    fact: Annotated[
        list[str], typer.Argument(metavar="FACT...", help="Number of a fact, or words that stand in it.")
    ],
    observer: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAMES",
            help="Only facts of this observer; of several, with commas as for `knows`, of all together.",
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Explain one fact of a ledger: each step of its derivation with the bytes it rests on.

    If several facts fit the words, they are listed with their numbers.
    """
    found = explain_fact(folder, fact, observer)
    if json_:
        typer.echo(json.dumps(_content(found), ensure_ascii=False))
        return
    for line in _lines(found):
        typer.echo(line)


def _content(found: Found) -> dict[str, object]:
    facts = [{"number": number, **asdict(fact)} for number, fact in found.facts]
    explanation = found.explanation
    steps = [step._asdict() for step in explanation.steps] if explanation is not None else []
    return {"format": _FORMAT, "seed": found.seed, "facts": facts, "steps": steps}


def _lines(found: Found) -> list[str]:
    if found.explanation is None:
        lines = [f"{len(found.facts):,} facts of seed {found.seed} fit; give the number of one:"]
        for number, fact in found.facts[:_SHOWN]:
            says = sentence(fact.relation, fact.subject, fact.object)
            lines.append(f"  {number:6d}  {fact.observer}: {says} ({fact.t_us / 1e6:.3f} s)")
        if len(found.facts) > _SHOWN:
            lines.append(f"  and {len(found.facts) - _SHOWN:,} more; more words make it fewer")
        return lines
    return told(found.explanation)
