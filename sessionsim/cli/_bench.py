"""`bench`: how fast are we, in ratios to what must be done at least."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sessionsim.core.errors import InvalidInput


def bench(
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures to this file as JSON.")
    ] = None,
) -> None:
    """Measure our cost per message and per exchange against bare primitives, codecs and simpy."""
    from sessionsim.selfcheck.bench import run_bench  # only this verb needs it

    figures = run_bench()
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    if json_ is not None:
        try:
            json_.write_text(text + "\n", encoding="utf-8")
        except OSError as wrong:
            raise InvalidInput(
                "--json", str(json_), f"a file that can be written ({wrong.strerror})"
            ) from wrong
    typer.echo(text)
