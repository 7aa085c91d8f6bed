"""Sections about direct messages: the reference passes, altered values do not, made cases pass."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sessionsim.selfcheck.vectors import emit, judge, read_vectors

REFERENCE = Path(__file__).parents[1] / "vectors" / "libsession.json"
NAMES = (
    "sign_for_recipient",
    "encrypt_deterministic",
    "decrypt_incoming",
    "decrypt_incoming_x25519",
    "decrypt_incoming_invalid",
    "dm_stack",
)


def passed(name: str, case: dict[str, Any]) -> bool:
    (verdict,) = judge({name: [case]})
    return verdict.failed == 0


def altered(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        key = next(iter(value))
        return {**value, key: altered(value[key])}
    return ("0" if value[:1] != "0" else "1") + value[1:]


@pytest.mark.parametrize("name", NAMES)
def test_reference_cases_pass(name: str) -> None:
    cases = read_vectors(REFERENCE)[name]
    (verdict,) = judge({name: cases})
    assert (verdict.passed, verdict.problems) == (len(cases), ())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "decrypt_incoming_invalid"])
def test_one_altered_expectation_or_input_fails(name: str) -> None:
    for case in read_vectors(REFERENCE)[name][:2]:
        for part in ("input", "expected"):
            for field in case[part]:
                changed = copy.deepcopy(case)
                changed[part][field] = altered(changed[part][field])
                assert not passed(name, changed), f"{part} {field}"


def test_other_randomness_is_noticed() -> None:
    case = copy.deepcopy(read_vectors(REFERENCE)["decrypt_incoming"][0])
    case["randomness"]["draws"][0] = altered(case["randomness"]["draws"][0])
    assert not passed("decrypt_incoming", case)
    del case["randomness"]
    assert passed("decrypt_incoming", case)


def test_message_that_opens_does_not_pass_as_refused() -> None:
    good = read_vectors(REFERENCE)["decrypt_incoming"][0]
    assert not passed("decrypt_incoming_invalid", {"input": good["input"], "expected": {"error": True}})


def test_made_cases_pass_and_have_the_fields_of_the_reference() -> None:
    made = json.loads(json.dumps(emit(12, 5)))["sections"]
    reference = read_vectors(REFERENCE)
    for name in NAMES:
        cases = made[name]["cases"]
        (verdict,) = judge({name: cases})
        assert (verdict.passed, verdict.problems) == (12, ()), name
        for part in ("input", "expected"):
            known = {field for case in reference[name] for field in case[part]} | {"sender_ed25519_pk"}
            assert {field for case in cases for field in case[part]} <= known, name
        assert len({json.dumps(case["input"]) for case in cases}) == 12
