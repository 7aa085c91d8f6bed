"""What a check is, how it is registered and run.

A check computes what must come out from a closed form and what comes out from a simulation or from the
estimator or attack under test, for any allowed values of its parameters; the specification's values are the
defaults. It gives findings, at least one. A check may need a file, or not be built yet: neither is a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sessionsim.core.errors import InvalidInput, SessionSimError
from sessionsim.selfcheck.validate._finding import Finding
from sessionsim.selfcheck.validate._parameter import Parameter

Run = Callable[..., Iterable[Finding]]

PASSED, FAILED, NEEDS_FILE = "passed", "failed", "needs a file"


class NeedsFile(SessionSimError):
    """The check compares a file that does not ship; without it nothing was checked."""


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One check. Args: name: in words; alias: its number in metrics section 7; summary: one sentence."""

    name: str
    alias: str
    source: str
    summary: str
    parameters: Mapping[str, Parameter]
    run: Run

    def values(self, given: Mapping[str, str], reduced: bool = False) -> dict[str, Any]:
        """Fill in what was not given.

        Args:
            given: parameter -> text. reduced: start from the quick tests' values, not the specification's.

        Raises:
            InvalidInput: an unknown parameter, or a value that is not allowed.
        """
        for name in given:
            if name not in self.parameters:
                known = ", ".join(f"--{key}" for key in self.parameters)
                raise InvalidInput(f"validate {self.name}", f"--{name}", f"parameters {known}")
        return {
            key: parameter.read(given[key], f"validate {self.name} --{key}")
            if key in given
            else parameter.reduced
            if reduced and parameter.reduced is not None
            else parameter.default
            for key, parameter in self.parameters.items()
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check. Args: status: one of the words above; problem: why there are no findings."""

    check: Check
    values: Mapping[str, Any]
    status: str
    findings: tuple[Finding, ...]
    problem: str = ""


_CHECKS: dict[str, Check] = {}


def check(name: str, alias: str, *, source: str, **parameters: Parameter) -> Callable[[Run], Run]:
    """Decorate a check; its docstring's first line becomes the summary, its arguments are the parameters."""

    def accept(run: Run) -> Run:
        if name in _CHECKS:
            raise ValueError(f"check {name} is declared twice")
        lines = (run.__doc__ or "").strip().splitlines()
        _CHECKS[name] = Check(name, alias, source, lines[0] if lines else "", parameters, run)
        return run

    return accept


def checks() -> tuple[Check, ...]:
    """List all checks by their number."""
    # The families register themselves when they are imported.
    from sessionsim.selfcheck.validate import _families  # noqa: F401

    return tuple(sorted(_CHECKS.values(), key=lambda one: (int(one.alias[1:].split("-")[0]), one.name)))


def named(name: str) -> tuple[Check, ...]:
    """Find checks by name, or by number, which may belong to two.

    Raises:
        InvalidInput: there is none.
    """
    found = tuple(one for one in checks() if name == one.name or name.upper() == one.alias)
    if not found:
        known = ", ".join(f"{one.alias} {one.name}" for one in checks())
        raise InvalidInput("validate", name, f"one of {known}")
    return found


def perform(one: Check, given: Mapping[str, str] | None = None, reduced: bool = False) -> Verdict:
    """Run one check.

    Raises:
        InvalidInput: a parameter is unknown or not allowed, or two of them do not go together.
    """
    values = one.values(given or {}, reduced)
    try:
        findings = tuple(one.run(**values))
    except NeedsFile as missing:
        return Verdict(one, values, NEEDS_FILE, (), str(missing))
    except InvalidInput:
        raise
    except Exception as wrong:  # a check that breaks must not keep the others from being run
        return Verdict(one, values, FAILED, (), f"{type(wrong).__name__}: {wrong}")
    if not findings:
        return Verdict(one, values, FAILED, (), "nothing was compared")
    return Verdict(one, values, PASSED if all(f.passed for f in findings) else FAILED, findings)
