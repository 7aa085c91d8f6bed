"""Running a file of known answers against the product."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sessionsim.core.errors import InvalidInput, SessionSimError
from sessionsim.selfcheck.vectors._section import Case, Mismatch, sections


class Verdict(NamedTuple):
    """What came of one section.

    Args:
        name: the section.
        passed, failed: numbers of cases.
        problems: one line per failed case: its id, and what differed.
    """

    name: str
    passed: int
    failed: int
    problems: tuple[str, ...]


def read_vectors(path: Path) -> dict[str, list[Any]]:
    """Read a file of known answers.

    Returns:
        Section name -> its cases, in the file's order.

    Raises:
        InvalidInput: the file is missing, no JSON, or not of the format; or it has a key twice, of which one
            would be skipped.
    """
    allowed = 'a JSON object with "sections", each with a list of "cases"'
    try:
        held = json.loads(path.read_text("utf-8"), object_pairs_hook=_each_once)
    except OSError as wrong:
        raise InvalidInput("vectors", str(path), f"a file that can be read ({wrong.strerror})") from wrong
    except (ValueError, RecursionError) as wrong:
        raise InvalidInput(str(path), str(wrong), allowed) from wrong
    found = held.get("sections") if isinstance(held, dict) else None
    if not isinstance(found, dict):
        raise InvalidInput(str(path), type(held).__name__, allowed)
    cases: dict[str, list[Any]] = {}
    for name, inside in found.items():
        listed = inside.get("cases") if isinstance(inside, dict) else None
        if not isinstance(listed, list):
            raise InvalidInput(f"{path} section {name}", type(inside).__name__, 'an object with "cases"')
        cases[name] = listed
    return cases


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    once = dict(pairs)
    if len(once) != len(pairs):
        raise ValueError("an object has a key twice")
    return once


def _line(text: str) -> str:
    """Write what a file says on one line that any terminal can show."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def judge(held: Mapping[str, list[Any]]) -> Iterator[Verdict]:
    """Run every case; yields a verdict per section, in the order given. Nothing is skipped."""
    known = sections()
    for name, cases in held.items():
        if name not in known:
            problem = f"{_line(name)}: this section is not known here; its {len(cases)} cases count as failed"
            yield Verdict(_line(name), 0, max(1, len(cases)), (problem,))
            continue
        problems = []
        for number, case in enumerate(cases, 1):
            wrong = _problem(name, case)
            if wrong is not None:
                label = case.get("id") if isinstance(case, dict) else None
                problems.append(_line(f"{label or f'{name}-{number}'}: {wrong}"))
        yield Verdict(name, len(cases) - len(problems), len(problems), tuple(problems))


def _problem(name: str, held: Any) -> str | None:
    if not isinstance(held, dict):
        return "a case is an object"
    parts = [held.get(key) for key in ("input", "expected")]
    randomness = held.get("randomness", {})
    if not all(isinstance(part, dict) for part in (*parts, randomness)):
        return "a case needs the objects input and expected, and randomness where given is an object"
    case = Case(parts[0], parts[1], randomness)  # type: ignore[arg-type]
    try:
        sections()[name].check(case)
    except Mismatch as wrong:
        return str(wrong)
    except SessionSimError as wrong:
        return f"{type(wrong).__name__}: {wrong}"
    except Exception as wrong:  # a broken file must not stop the others from being judged
        return f"{type(wrong).__name__}: {wrong}"
    left = case.left_out()
    return f"nothing was compared with {', '.join(left)}" if left else None
