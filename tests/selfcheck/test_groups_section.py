"""The section about groups: passes on the reference's cases and on our own, and notices every change."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sessionsim.selfcheck.vectors import judge, sections
from sessionsim.selfcheck.vectors._section import Draw

FILE = Path(__file__).parents[1] / "vectors" / "libsession.json"
CASES = json.loads(FILE.read_text("utf-8"))["sections"]["groups"]["cases"]


def problems(case: dict[str, Any]) -> tuple[str, ...]:
    (verdict,) = judge({"groups": [case]})
    return verdict.problems


def made(number: int) -> dict[str, Any]:
    return dict(sections()["groups"].make(Draw(f"groups {number}")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_reference_case_passes_with_and_without_its_randomness(case: dict[str, Any]) -> None:
    assert problems(case) == ()
    assert problems({name: part for name, part in case.items() if name != "randomness"}) == ()


def test_own_cases_pass_vary_and_have_the_shape_of_the_reference() -> None:
    cases = [made(number) for number in range(12)]
    for case in cases:
        assert problems(case) == ()
        for part in ("input", "expected", "randomness"):
            assert case[part].keys() == CASES[0][part].keys()
    assert {case["input"]["compress"] for case in cases} == {True, False}
    assert len({len(case["input"]["message"]) for case in cases}) > 6
    assert made(0) == cases[0]


def altered(value: Any) -> Any:
    if isinstance(value, dict):
        name = next(reversed(value))
        return {**value, name: altered(value[name])}
    if isinstance(value, list):
        return [altered(value[0]), *value[1:]]
    return value[:-1] + ("0" if value[-1] != "0" else "1")


@pytest.mark.parametrize("number", [0, 1], ids=["plain", "compressed"])
@pytest.mark.parametrize("name", list(CASES[0]["expected"]))
def test_any_altered_answer_fails(number: int, name: str) -> None:
    case = copy.deepcopy(CASES[number])
    case["expected"][name] = altered(case["expected"][name])
    assert problems(case)


@pytest.mark.parametrize("number", [0, 1], ids=["plain", "compressed"])
@pytest.mark.parametrize("name", ["group_seed", "admin_seed", "member_seed", "message", "auth_text"])
def test_any_altered_input_fails(number: int, name: str) -> None:
    case = copy.deepcopy(CASES[number])
    case["input"][name] = altered(case["input"][name])
    assert problems(case)


def test_altered_nonce_and_unwanted_compression_fail() -> None:
    case = copy.deepcopy(CASES[1])
    case["randomness"]["draws"] = [altered(case["randomness"]["draws"][0])]
    assert problems(case)
    case = copy.deepcopy(CASES[1])
    case["input"]["compress"] = False
    assert problems(case)


@pytest.mark.parametrize("name", list(CASES[0]["expected"]))
def test_missing_answer_fails(name: str) -> None:
    case = copy.deepcopy(CASES[0])
    del case["expected"][name]
    assert problems(case)
