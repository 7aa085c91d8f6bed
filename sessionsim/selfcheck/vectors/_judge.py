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
        InvalidInput: the file is missing, no JSON, or not of the format; it holds no case, or a section
            without any; or it holds something that would be skipped: a key twice, or cases elsewhere.
    """
    allowed = 'a JSON object with "sections", each with a list of "cases" that is not empty'
    try:
        held = json.loads(path.read_text("utf-8"), object_pairs_hook=_each_once)
    except OSError as wrong:
        raise InvalidInput("vectors", str(path), f"a file that can be read ({wrong.strerror})") from wrong
    except (ValueError, RecursionError) as wrong:
        raise InvalidInput(str(path), str(wrong), allowed) from wrong
    found = held.get("sections") if isinstance(held, dict) else None
    if not isinstance(found, dict):
        raise InvalidInput(str(path), type(held).__name__, allowed)
    if not found:
        raise InvalidInput(str(path), "no section", allowed)
    _refuse_elsewhere(str(path), held, "sections")
    cases: dict[str, list[Any]] = {}
    for name, inside in found.items():
        place = f"{path} section {_line(name)}"
        listed = inside.get("cases") if isinstance(inside, dict) else None
        if not isinstance(listed, list):
            raise InvalidInput(place, type(inside).__name__, 'an object with a list of "cases"')
        if not listed:
            raise InvalidInput(place, "no case", "at least one case")
        _refuse_elsewhere(place, inside, "cases")
        cases[name] = listed
    return cases


def _refuse_elsewhere(place: str, held: Mapping[str, Any], read: str) -> None:
    """Refuse cases beside what is read, which would pass unseen. Args: read: the key that is read."""
    for key, beside in held.items():
        if key != read and (key.lower() in ("sections", "cases") or _holds_cases(beside)):
            raise InvalidInput(place, f"cases under {_line(key)!r}", f'cases under "{read}" only')


def _holds_cases(held: Any) -> bool:
    """Say whether anything inside looks like a case or a list of cases."""
    inner = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
    named = isinstance(held, dict) and ("cases" in held or {"input", "expected"} <= held.keys())
    return named or any(map(_holds_cases, inner))


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
