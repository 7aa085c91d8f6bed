"""The application: gathers the verbs and turns errors into messages and exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import sessionsim
from sessionsim.cli import (
    _bench,
    _check,
    _coalitions,
    _explain,
    _knows,
    _list,
    _plan,
    _report,
    _run,
    _schema,
    _validate,
    _vectors,
)
from sessionsim.core.errors import LocalProtocolError, SessionSimError

app = typer.Typer(
    name="sessionsim",
    help="Simulate the Session messenger network with its real protocol code; see what each observer learns.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(_run.run)
app.command("plan")(_plan.plan)
app.command("check")(_check.check)
app.command("report")(_report.report)
app.command("knows")(_knows.knows_command)
app.command("coalitions")(_coalitions.coalitions)
app.command("explain")(_explain.explain)
app.command("list")(_list.list_kind)
app.command("schema")(_schema.schema)
app.command("vectors")(_vectors.vectors)
app.command("bench")(_bench.bench)
app.command(
    "validate",
    cls=_validate.WithChecks,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(_validate.validate)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sessionsim {sessionsim.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def run(arguments: list[str] | None = None) -> None:
    """Run the verb that the arguments name. Ends with SystemExit: 0 done, 2 wrong input, 130 interrupted."""
    try:
        app(arguments)
    except LocalProtocolError:
        raise  # our bug: the traceback is what helps
    except SessionSimError as wrong:
        print(f"sessionsim: {wrong}", file=sys.stderr)
        sys.exit(2)
