"""`validate`: hold estimators and attacks to closed forms, with any parameters."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from sessionsim.cli._options import Json
from sessionsim.core.errors import InvalidInput

Given = dict[str, str]


class WithChecks(TyperCommand):
    """The verb's help, followed by all checks and their parameters."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Checks"):
            formatter.write("\n".join(f"  {line}" for line in _listing()) + "\n")


def validate(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME…] [--PARAMETER VALUE…]",
            help="Checks by name or number, as in: sda --N 1000 --b 10 --m 5 --t 58. "
            "Without one all are run; `list` lists them.",
            show_default=False,
        ),
    ] = None,
    reduced: Annotated[bool, typer.Option("--reduced", help="Sizes of the quick tests.")] = False,
    json_: Json = False,
) -> None:
    """Compare estimators and attacks with closed forms; exit code 1 if a check failed."""
    from sessionsim.selfcheck import validate as suite  # only this verb needs it

    wanted, given = _split([*(names or []), *context.args])
    if wanted == ["list"] and not given:
        typer.echo("\n".join(_listing()))
        return
    chosen = [one for name in wanted for one in suite.named(name)] if wanted else list(suite.checks())
    chosen = list(dict.fromkeys(chosen))
    shared = {name: value for name, value in given.items() if any(name in one.parameters for one in chosen)}
    for name in given.keys() - shared.keys():
        known = sorted({f"--{key}" for one in chosen for key in one.parameters})
        raise InvalidInput("validate", f"--{name}", "parameters " + ", ".join(known))
    takes = [{name: value for name, value in given.items() if name in one.parameters} for one in chosen]
    for one, values in zip(chosen, takes, strict=True):
        one.values(values, reduced)  # complains before anything runs
    counted = dict.fromkeys((suite.PASSED, suite.FAILED, suite.NEEDS_FILE), 0)
    told: list[dict[str, Any]] = []
    for one, values in zip(chosen, takes, strict=True):
        verdict = suite.perform(one, values, reduced)
        counted[verdict.status] += 1
        if json_:
            told.append({
                "name": one.name, "number": one.alias, "status": verdict.status, "problem": verdict.problem,
                "parameters": dict(verdict.values), "source": one.source,
                "findings": [suite.described(finding) for finding in verdict.findings],
            })  # fmt: skip
            continue
        settings = " ".join(
            f"--{key} {one.parameters[key].written(value)}"
            for key, value in verdict.values.items()
            if value != ""
        )
        typer.echo(f"{one.alias} {one.name}: {verdict.status}  [{settings}]")
        for finding in verdict.findings:
            typer.echo(f"  {finding}")
        if verdict.problem:
            typer.echo(f"  {verdict.problem}")
    summary = f"{counted[suite.PASSED]} passed, {counted[suite.FAILED]} failed"
    if counted[suite.NEEDS_FILE]:
        summary += f", {counted[suite.NEEDS_FILE]} need a file"
    typer.echo(json.dumps({"checks": told, "summary": summary}, ensure_ascii=False) if json_ else summary)
    if counted[suite.FAILED]:
        raise typer.Exit(1)


def _split(words: list[str]) -> tuple[list[str], Given]:
    """Part names of checks from `--parameter value` and `--parameter=value`.

    Raises:
        InvalidInput: a parameter without value, or given twice.
    """
    names: list[str] = []
    given: Given = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            names.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            value = next(rest, "")
        if not value or value.startswith("--"):
            raise InvalidInput("validate", word, "a value after the parameter")
        if name in given:
            raise InvalidInput("validate", word, "each parameter once; several values with commas between")
        given[name] = value
    return names, given


def _listing() -> list[str]:
    """Write down all checks with their parameters, defaults and ranges."""
    from sessionsim.selfcheck import validate as suite

    lines = []
    for one in suite.checks():
        lines.append(f"{one.alias} {one.name}: {one.summary}")
        for key, parameter in one.parameters.items():
            default = parameter.written(parameter.default) or "none"
            several = "; several with commas" if parameter.many else ""
            lines.append(f"    --{key} {default}  {parameter.doc} ({parameter.allowed}{several})")
    return lines
