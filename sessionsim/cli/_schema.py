"""`schema`: the JSON Schema of scenario files, for editors."""

from __future__ import annotations

import json

import typer

from sessionsim.experiment import installed
from sessionsim.scenario import json_schema


def schema() -> None:
    """Print the JSON Schema of scenario files: every key with unit, default, meaning and source."""
    typer.echo(json.dumps(json_schema(installed()), indent=1, ensure_ascii=False))
