"""`list`: what scenarios may name in this installation."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sessionsim.cli._options import Json
from sessionsim.core.errors import InvalidInput
from sessionsim.experiment import families, installed
from sessionsim.selfcheck.vectors import sections

_WORDS = ("dates", "platforms", "suites")


def list_kind(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="patterns, vantages, metrics, sections, platforms, suites or dates."
        ),
    ],
    json_: Json = False,
) -> None:
    """List drop-ins of a kind with what they do and where they come from, or the words of a kind.

    `sections` are the kinds of known answers that `vectors` runs, with the functions they hold to account.
    """
    known = families()
    if kind in (*known, "sections"):
        if kind == "sections":
            entries = [(s.name, s.summary, ", ".join(s.covers)) for s in sections().values()]
        else:
            entries = [(entry.id, entry.summary, entry.source) for entry in known[kind]]
        if json_:
            keys = ("id", "summary", "covers" if kind == "sections" else "source")
            rows = [dict(zip(keys, entry, strict=True)) for entry in entries]
            typer.echo(json.dumps(rows, ensure_ascii=False))
            return
        width = max((len(name) for name, _, _ in entries), default=0)
        for name, summary, source in entries:
            typer.echo(f"{name:{width}}  {summary}  [{source}]")
        return
    if kind not in _WORDS:
        raise InvalidInput("KIND", kind, ", ".join(sorted((*known, "sections", *_WORDS))))
    words = list(getattr(installed(), kind))
    typer.echo(json.dumps(words) if json_ else "\n".join(words))
