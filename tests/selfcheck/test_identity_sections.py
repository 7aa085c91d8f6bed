"""The sections about identity, blinding, names and several recipients: they pass, and they can fail."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sessionsim.protocol import names
from sessionsim.selfcheck.vectors import Verdict, emit, judge, read_vectors

REFERENCE = Path(__file__).parents[1] / "vectors" / "libsession.json"
# Section -> inputs that decide its answer, of which any may be turned wrong.
INPUTS = {
    "ids_from_seed": ["seed"],
    "ed25519_sign": ["ed25519_sk", "message"],
    "xed25519_sign": ["x25519_sk", "message"],
    "xed25519_verify": [],  # a wrong one stays wrong
    "xed25519_pubkey": ["x25519_pk"],
    "blake2b": ["message"],
    "blinded_ids": ["ed25519_sk", "server_pk"],
    "blind15_sign": ["ed25519_sk", "server_pk", "message"],
    "blind25_sign": ["ed25519_sk", "server_pk", "message"],
    "blind_version": ["ed25519_sk"],
    "blinded_id_match": [],
    "blind15_message": ["sender_sk", "recipient_sk", "server_pk", "sender_id", "recipient_id", "ciphertext"],
    "blind25_message": ["sender_sk", "recipient_sk", "server_pk", "sender_id", "recipient_id", "ciphertext"],
    "ons_response": ["ciphertext", "nonce"],
    "multi_encrypt": ["x25519_sk", "x25519_pk"],
}
SECTIONS = pytest.mark.parametrize("section", INPUTS)


@cache
def made(section: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = emit(12, 3, only=[section])["sections"][section]["cases"]
    return cases


def verdict(section: str, cases: list[dict[str, Any]]) -> Verdict:
    (found,) = judge({section: cases})
    return found


def other(value: Any) -> Any:
    """Give a value of the same kind that is wrong."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        return [other(value[0]), *value[1:]]
    if isinstance(value, dict):
        return {**value, **{name: other(inner) for name, inner in value.items() if name == "plaintext"}}
    if value is None:
        return ""
    text = str(value)
    # One digit, of a byte that no key clamps and no point keeps its sign in.
    return text[:3] + ("1" if text[3] == "0" else "0") + text[4:] if len(text) > 3 else text + "00"


@SECTIONS
def test_reference_cases_pass(section: str) -> None:
    cases = read_vectors(REFERENCE)[section]
    assert verdict(section, cases)[1:] == (len(cases), 0, ())


@SECTIONS
def test_made_cases_pass(section: str) -> None:
    assert verdict(section, made(section))[1:] == (12, 0, ())


@SECTIONS
def test_made_cases_have_the_shapes_of_the_reference(section: str) -> None:
    def shape(case: dict[str, Any]) -> str:
        kinds = {
            part: sorted((name, type(value).__name__) for name, value in case[part].items())
            for part in ("input", "expected", "randomness")
            if part in case
        }
        return json.dumps(kinds, sort_keys=True)

    known = {shape(case) for case in read_vectors(REFERENCE)[section]}
    assert {shape(case) for case in emit(60, 3, only=[section])["sections"][section]["cases"]} == known


@SECTIONS
def test_cases_differ_from_each_other_and_repeat_with_their_seed(section: str) -> None:
    assert len({json.dumps(case["input"]) for case in made(section)}) == 12
    assert emit(2, 3, only=[section])["sections"][section]["cases"] == made(section)[:2]


@SECTIONS
def test_any_wrong_expected_value_fails(section: str) -> None:
    for case in made(section)[:4]:
        for name in case["expected"]:
            wrong = copy.deepcopy(case)
            wrong["expected"][name] = other(wrong["expected"][name])
            assert verdict(section, [wrong]).failed == 1, name
            del wrong["expected"][name]
            assert verdict(section, [wrong]).failed == 1, name


@SECTIONS
def test_any_wrong_input_fails(section: str) -> None:
    for case in made(section)[:4]:
        for name in INPUTS[section]:
            if name in case["input"]:
                wrong = copy.deepcopy(case)
                wrong["input"][name] = other(wrong["input"][name])
                assert verdict(section, [wrong]).failed == 1, name


@pytest.mark.parametrize("section", ["xed25519_sign", "blind15_message", "blind25_message", "multi_encrypt"])
def test_wrong_recorded_randomness_fails(section: str) -> None:
    for case in made(section):
        if "randomness" in case:
            wrong = copy.deepcopy(case)
            wrong["randomness"]["draws"][-1] = other(wrong["randomness"]["draws"][-1])
            assert verdict(section, [wrong]).failed == 1


@pytest.mark.parametrize("section", ["xed25519_sign", "blind15_message", "blind25_message", "multi_encrypt"])
def test_cases_without_recorded_randomness_are_judged_too(section: str) -> None:
    bare = [{name: part for name, part in case.items() if name != "randomness"} for case in made(section)]
    assert verdict(section, bare).failed == 0
    for case in bare:
        wrong = copy.deepcopy(case)
        name = next(iter(wrong["expected"]))
        wrong["expected"][name] = other(wrong["expected"][name])
        assert verdict(section, [wrong]).failed == 1


def test_answer_of_the_old_form_is_judged() -> None:
    account_id = b"\x05" + b"a" * 32
    answer = names.seal_answer("test", account_id, None)
    case = {
        "input": {"name": "test", "ciphertext": answer.ciphertext.hex()},
        "expected": {"session_id": account_id.hex()},
    }
    assert verdict("ons_response", [case]).failed == 0
    assert verdict("ons_response", [{**case, "expected": {"session_id": "05" + "00" * 32}}]).failed == 1
