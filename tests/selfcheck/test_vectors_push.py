"""The section of push notifications: passes on the reference and on its own cases, notices a change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sessionsim.selfcheck.vectors import judge, read_vectors, sections
from sessionsim.selfcheck.vectors._section import Draw

REFERENCE = Path(__file__).parents[1] / "vectors" / "libsession.json"
NAME = "push_notification"


def verdict(cases: list[Any]) -> tuple[int, int]:
    (one,) = judge({NAME: cases})
    return one.passed, one.failed


def test_the_reference_and_new_cases_pass() -> None:
    assert verdict(read_vectors(REFERENCE)[NAME]) == (10, 0)
    made = [sections()[NAME].make(Draw(f"case {number}")) for number in range(30)]
    assert len({case["input"]["payload"] for case in made}) == 30
    assert verdict(made) == (30, 0)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("expected", "plaintext", "00"),
        ("expected", "other", "00"),
        ("input", "enc_key", "00" * 32),
        ("input", "enc_key", "00"),
        ("input", "payload", "00" * 60),
        ("input", "payload", ""),
        ("input", "payload", None),
    ],
)
def test_a_changed_case_fails(part: str, field: str, value: object) -> None:
    case = read_vectors(REFERENCE)[NAME][0]
    case[part][field] = value
    assert verdict([case]) == (0, 1)
