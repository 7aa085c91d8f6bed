"""`vectors`: hold the protocol code to known answers, or write such answers for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sessionsim.core.errors import InvalidInput


def vectors(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Files of known answers.", show_default=False)
    ] = None,
    emit: Annotated[
        int | None, typer.Option(min=1, help="Write so many cases of every section instead of judging.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="With --emit: same seed, same cases.")] = 1,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="With --emit: where to write.")] = None,
) -> None:
    """Run every case of the files against the product; exit code 1 if any failed."""
    from sessionsim.selfcheck import vectors as known  # only this verb needs it

    if emit is not None:
        if files:
            raise InvalidInput("--emit", str(files[0]), "no FILE beside --emit")
        text = json.dumps(known.emit(emit, seed), indent=1, ensure_ascii=False)
        if out is None:
            typer.echo(text)
            return
        try:
            out.write_text(text + "\n", encoding="utf-8")
        except OSError as wrong:
            raise InvalidInput("--out", str(out), f"a file that can be written ({wrong.strerror})") from wrong
        return
    if not files:
        raise InvalidInput("vectors", "no file", "at least one FILE, or --emit N")
    held = [known.read_vectors(path) for path in files]
    passed = failed = 0
    for one in held:
        for verdict in known.judge(one):
            typer.echo(f"{verdict.name}: {verdict.passed} passed, {verdict.failed} failed")
            section = known.sections().get(verdict.name)
            if section is not None and (limit := section.limit()):
                typer.echo(f"  judged in part: {limit}", err=True)
            for problem in verdict.problems:
                typer.echo(f"  {problem}", err=True)
            passed, failed = passed + verdict.passed, failed + verdict.failed
    typer.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)
