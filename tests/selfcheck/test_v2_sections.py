"""The 18 sections about V2: the reference's 229 cases, our own, what must fail; with and without kyber-py."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sessionsim.cli import main
from sessionsim.core.errors import InvalidInput
from sessionsim.selfcheck.vectors import Verdict, _coins, emit, judge, read_vectors, sections

REFERENCE = read_vectors(Path(__file__).parents[1] / "vectors" / "v2.json")
SECTIONS = pytest.mark.parametrize("section", REFERENCE)
MADE = 8  # cases of each section; the kinds of refusals are drawn among up to 24
USE_COINS = {"v2_key_expansion", "v2_message", "v2_group_message"}
# Inputs that decide the answer, any of which may be turned wrong.
INPUTS = {
    "v2_key_expansion": ["seed"],
    "v2_account_record": ["root_seed", "account_seed"],
    "v2_message": ["recipient_root_seed", "recipient_account_seed", "recipient_M", "content"],
    "v2_message_nonpfs": ["recipient_root_seed", "sender_seed"],
    "v2_group_message": ["root_seed", "group_id"],
    "v2_group_id": ["group_id", "A", "root_seed"],
    "v2_kicked_entry": ["A", "root_seed", "device_id"],
    "v2_link_request": ["root_seed", "account_seed", "link_x25519"],
    "v2_sas": ["plaintext"],
    "v2_rotation_due": ["device_id", "active_seed"],
}


@cache
def made(section: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = emit(MADE, 11, only=[section])["sections"][section]["cases"]
    return cases


def verdict(section: str, cases: list[Any]) -> Verdict:
    (found,) = judge({section: cases})
    return found


def other(value: Any) -> Any:
    """Give a value of the same kind that is wrong."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return [other(value[0]), *value[1:]] if value else [0]
    if isinstance(value, dict):
        return {name: other(inner) for name, inner in value.items()} or {"surprise": 1}
    if value is None:
        return ""
    if value.isdecimal() and len(value) < 20:
        return str(int(value) + 2_001)
    return value[:3] + ("1" if value[3] == "0" else "0") + value[4:] if len(value) > 3 else value + "00"


def test_there_are_18_sections_of_229_cases() -> None:
    assert (len(REFERENCE), sum(map(len, REFERENCE.values()))) == (18, 229)
    assert {name for name in sections() if name.startswith("v2_")} == set(REFERENCE)


@SECTIONS
def test_every_case_of_the_reference_passes(section: str) -> None:
    assert verdict(section, REFERENCE[section])[1:] == (len(REFERENCE[section]), 0, ())


@SECTIONS
def test_made_cases_pass_differ_and_repeat(section: str) -> None:
    assert verdict(section, made(section))[1:] == (MADE, 0, ())
    assert len({json.dumps(case["input"]) for case in made(section)}) > MADE // 2
    assert emit(2, 11, only=[section])["sections"][section]["cases"] == made(section)[:2]


@SECTIONS
def test_any_wrong_expected_value_fails(section: str) -> None:
    for case in REFERENCE[section][:2] + REFERENCE[section][-1:]:
        for name in case["expected"]:
            wrong = copy.deepcopy(case)
            wrong["expected"][name] = other(wrong["expected"][name])
            assert verdict(section, [wrong]).failed == 1, name
            del wrong["expected"][name]
            assert verdict(section, [wrong]).failed == 1, name


@pytest.mark.parametrize("section", INPUTS)
def test_any_wrong_input_fails(section: str) -> None:
    for case in REFERENCE[section][1:3]:
        for name in INPUTS[section]:
            wrong = copy.deepcopy(case)
            wrong["input"][name] = other(wrong["input"][name])
            assert verdict(section, [wrong]).failed == 1, name


def test_wrong_coins_fail() -> None:
    for section, cases in (("v2_message", REFERENCE["v2_message"]), ("v2_message", made("v2_message"))):
        wrong = copy.deepcopy(cases[0])
        wrong["randomness"]["mlkem_coins"] = other(wrong["randomness"]["mlkem_coins"])
        assert verdict(section, [wrong]).failed == 1


def test_the_time_of_rotation_is_compared_to_the_microsecond() -> None:
    for case in REFERENCE["v2_rotation_due"]:
        for name in ("offset_ns", "due_ns"):
            for difference, failed in ((-900, 0), (900, 0), (-2_100, 1), (2_100, 1)):
                near = copy.deepcopy(case)
                near["expected"][name] = str(int(near["expected"][name]) + difference)
                assert verdict("v2_rotation_due", [near]).failed == failed, (name, difference)


def test_messages_without_recorded_randomness_are_judged_by_opening_them() -> None:
    for section in ("v2_message", "v2_message_nonpfs"):
        for case in REFERENCE[section]:
            bare = {key: part for key, part in case.items() if key != "randomness"}
            assert verdict(section, [bare]).failed == 0
            bare["input"] = {**case["input"], "content": case["input"]["content"] + "00"}
            assert verdict(section, [bare]).failed == 1


@SECTIONS
def test_without_kyber_py_the_rest_is_judged_and_that_is_said(
    section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sections()[section].limit() == ""
    monkeypatch.setattr(_coins, "_ml_kem", lambda: None)
    assert verdict(section, REFERENCE[section])[1:] == (len(REFERENCE[section]), 0, ())
    assert ("kyber-py" in sections()[section].limit()) == (section in USE_COINS)


@pytest.mark.parametrize("section", ["v2_message", "v2_group_message", "v2_message_receive"])
def test_without_kyber_py_messages_cannot_be_emitted(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_coins, "_ml_kem", lambda: None)
    with pytest.raises(InvalidInput, match="kyber-py"):
        emit(12, 5, only=[section])


def test_the_command_says_what_it_could_not_judge(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "two.json"
    path.write_text(
        json.dumps({"sections": {name: {"cases": REFERENCE[name][:1]} for name in ("v2_message", "v2_sas")}})
    )
    told = []
    for present in (True, False):
        if not present:
            monkeypatch.setattr(_coins, "_ml_kem", lambda: None)
        with pytest.raises(SystemExit) as end:
            main(["vectors", str(path)])
        assert not end.value.code
        told.append(capsys.readouterr())
    assert told[0].err == ""
    assert told[1].err.count("judged in part: kyber-py is not installed") == 1
    assert told[0].out == told[1].out
