"""The vectors command: it judges strictly, never crashes on a file, and emits what it accepts.

The tests about sections run over every section the product knows, so a new one is tested the day it appears.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nacl import bindings

from sessionsim.cli import main
from sessionsim.core.errors import InvalidInput
from sessionsim.selfcheck.vectors import Verdict, emit, judge, read_vectors, sections

FULL = bool(os.environ.get("SESSIONSIM_FULL"))
CASES = 1000 if FULL else 3  # of each section that are altered
ALTERATIONS = 1000 if FULL else 24  # of each section, over all its cases
EMITTED = 40 if FULL else 6  # cases of each section
NAMES = list(sections())
VECTORS = Path(__file__).parents[1] / "vectors"
REFERENCE: dict[str, list[Any]] = {
    name: held["cases"]
    for path in sorted(VECTORS.glob("*.json"))
    for name, held in json.loads(path.read_text("utf-8")).get("sections", {}).items()
}
OURS = emit(EMITTED, 3)["sections"]
WORDS = {"why", "what", "meaning"}  # for a reader, nothing to compare
# Fields of `expected` that are inputs: the key of an outsider opens nothing, whatever its digits.
INPUTS = {"multi_encrypt": {"x25519_sk"}}
# Times that are compared to the microsecond: the last digits may differ (see test_v2_sections.py).
INPUTS["v2_rotation_due"] = {"offset_ns", "due_ns"}
KEYED = {"digests", "filler", "kicked_filler"}  # objects whose keys are device ids or places
GOOD = {"ed25519_sk": "11" * 32 + "22" * 32, "message": "68"}


@pytest.fixture(scope="module", autouse=True)
def slow_hashes_are_remembered() -> Iterator[None]:
    """Argon2id takes 20 ms and more; most alterations leave alone what it is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bindings, "crypto_pwhash_alg", functools.cache(bindings.crypto_pwhash_alg))
        yield


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command line in this process. Returns exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as end:
        main(["vectors", *(str(argument) for argument in arguments)])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


def verdict(name: str, case: Any) -> Verdict:
    """Judge one case."""
    (only,) = judge({name: [case]})
    assert only.passed + only.failed == 1
    assert len(only.problems) == only.failed
    return only


def cases_of(name: str) -> list[Any]:
    """Give the reference's cases of a section, or ours where it has none."""
    return list(REFERENCE.get(name) or OURS[name]["cases"])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the paths to all single values, and to empty lists and objects."""
    inner = dict(enumerate(value)) if isinstance(value, list) else value if isinstance(value, dict) else {}
    if not inner:
        yield path
    for key, below in inner.items():
        yield from leaves(below, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def with_leaf(case: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Copy a case with another value at a path."""
    changed = copy.deepcopy(case)
    at(changed, path[:-1])[path[-1]] = new
    return changed


# The command


def test_the_last_line_counts_all_files_and_the_exit_code_says_whether_any_failed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    made = emit(2, 5)["sections"]["ed25519_sign"]
    good.write_text(json.dumps({"sections": {"ed25519_sign": made}}))
    wrong = with_leaf(made, ("cases", 1, "expected", "signature"), "00" * 64)
    bad.write_text(json.dumps({"sections": {"ed25519_sign": wrong}}))
    code, told, errors = call(capsys, good)
    assert (code, told.splitlines(), errors) == (
        0,
        ["ed25519_sign: 2 passed, 0 failed", "2 passed, 0 failed"],
        "",
    )
    code, told, errors = call(capsys, good, bad)
    assert (code, told.splitlines()[-1]) == (1, "3 passed, 1 failed")
    assert "ed25519_sign-2: signature" in errors


PROGRAM = [sys.executable, "-c", "from sessionsim.cli import main; main()", "vectors"]


@pytest.mark.parametrize(("cases", "failed"), [(1, 1), (3, 3)])
def test_an_unknown_section_counts_as_failed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, cases: int, failed: int
) -> None:
    path = tmp_path / "new.json"
    path.write_text(
        json.dumps({"sections": {"telepathy": {"cases": [{"input": {}, "expected": {}}] * cases}}})
    )
    code, told, errors = call(capsys, path)
    assert code == 1
    assert told.splitlines() == [f"telepathy: 0 passed, {failed} failed", f"0 passed, {failed} failed"]
    assert "not known" in errors


FILES = {
    "empty": b"",
    "no JSON": b'{"sections": ',
    "not UTF-8": b'{"sections": {"\xff": {"cases": []}}}',
    "a list": b"[]",
    "a number": b"5",
    "nothing": b"null",
    "no sections": b'{"groups": {}}',
    "sections in a list": b'{"sections": []}',
    "a section without cases": b'{"sections": {"ed25519_sign": {}}}',
    "a section that is a list": b'{"sections": {"ed25519_sign": []}}',
    "cases in an object": b'{"sections": {"ed25519_sign": {"cases": {}}}}',
    "too deep": b"[" * 100_000,
    "a number of 5,000 digits": b'{"sections": ' + b"7" * 5_000 + b"}",
    "a section twice": b'{"sections": {"x": {"cases": [1]}, "x": {"cases": []}}}',
    "cases twice": b'{"sections": {"x": {"cases": [1], "cases": []}}}',
    "not one section": b'{"sections": {}}',
    "a section of no case": b'{"sections": {"ed25519_sign": {"cases": []}}}',
    "an unknown section of no case": b'{"sections": {"telepathy": {"cases": []}}}',
    "one section of no case beside a good one": b'{"sections": {"x": {"cases": [1]}, "y": {"cases": []}}}',
    "sections spelled twice": b'{"sections": {"x": {"cases": [1]}}, "Sections": {}}',
    "a section outside": b'{"sections": {"x": {"cases": [1]}}, "y": {"cases": [1]}}',
    "cases spelled twice": b'{"sections": {"x": {"cases": [1], "Cases": [1]}}}',
    "cases under another name": b'{"sections": {"x": {"cases": [1], "more": [{"input": 1, "expected": 2}]}}}',
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_form_is_wrong_input(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(FILES[name])
    with pytest.raises(InvalidInput):
        read_vectors(path)
    code, told, errors = call(capsys, path)
    assert (code, told) == (2, "")
    assert errors
    assert "Traceback" not in errors


def test_one_wrong_file_stops_all_before_anything_is_judged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps(emit(1, 5)))
    for wrong in (tmp_path / "missing.json", tmp_path):
        code, told, errors = call(capsys, good, wrong)
        assert (code, told) == (2, "")
        assert str(wrong) in errors


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--emit", "0"],
        ["--emit", "-1"],
        ["--emit", "x"],
        ["--emit", "1", "FILE"],
        ["--seed", "-1", "FILE"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
) -> None:
    path = tmp_path / "good.json"
    path.write_text(json.dumps(emit(1, 5)))
    code, told, errors = call(capsys, *(str(path) if given == "FILE" else given for given in arguments))
    assert (code, told) == (2, "")
    assert errors


def test_names_that_cannot_be_printed_do_not_stop_the_judging(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = {"id": "\ud800\n", "input": {}, "expected": {}}
    held = {"\ud800": {"cases": [case]}, "ed25519_sign": {"cases": [case]}}
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"sections": held}))
    done = subprocess.run(
        [*PROGRAM, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "0 passed, 2 failed")
    assert len(done.stderr.splitlines()) == 2


# Cases


@pytest.mark.parametrize(
    "case",
    [
        None,
        5,
        "case",
        [],
        {},
        {"id": "x"},
        {"input": {}},
        {"input": GOOD},
        {"expected": {}},
        {"input": [], "expected": {}},
        {"input": GOOD, "expected": []},
        {"input": GOOD, "expected": None},
        {"input": GOOD, "expected": {}},
        {"input": GOOD, "expected": {}, "randomness": None},
        {"input": GOOD, "expected": {}, "randomness": []},
        {"input": {}, "expected": {"signature": "00" * 64}},
    ],
    ids=lambda case: json.dumps(case)[:60],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_case_of_another_form_fails(name: str, case: Any) -> None:
    assert verdict(name, case).failed == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("expected", [{}, {"why": "words"}, {"error": False}, {"error": None}], ids=str)
def test_a_case_that_expects_nothing_fails(name: str, expected: dict[str, Any]) -> None:
    for case in cases_of(name)[:CASES]:
        assert verdict(name, {**case, "expected": expected}).failed == 1, case["id"]


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    5,
    10**30,
    0.5,
    "",
    "0",
    "zz",
    "00",
    "ab" * 100,
    "é",
    [],
    [None],
    {},
    {"": 1},
]


@pytest.mark.parametrize("name", NAMES)
def test_odd_values_anywhere_are_judged_and_never_crash(name: str) -> None:
    rng = Random(f"odd {name}")
    for case in cases_of(name)[:CASES]:
        held = {key: case[key] for key in ("input", "expected", "randomness") if key in case}
        paths = [*leaves(held), *((part, key) for part in held for key in held[part])]
        for path in rng.sample(paths, min(len(paths), ALTERATIONS)):
            for odd in rng.sample(ODD, len(ODD) if FULL else 4):
                verdict(name, with_leaf(held, path, odd))
            missing = copy.deepcopy(held)
            del at(missing, path[:-1])[path[-1]]
            verdict(name, missing)


@pytest.mark.parametrize("name", NAMES)
def test_cases_without_inputs_fail(name: str) -> None:
    for case in cases_of(name)[:CASES]:
        assert verdict(name, {**case, "input": {}}).failed == 1, case["id"]


@pytest.mark.parametrize("name", NAMES)
def test_an_expected_field_that_nothing_was_compared_with_fails(name: str) -> None:
    for case in cases_of(name)[:CASES]:
        told = verdict(name, with_leaf(case, ("expected", "surprise"), "00"))
        assert (told.failed, "surprise" in "".join(told.problems)) == (1, True), case["id"]
        assert verdict(name, with_leaf(case, ("expected", "why"), "a word for the reader")).failed == 0


def altered(value: Any, rng: Random) -> Any:
    """Change one digit or letter, or what else is least."""
    if isinstance(value, str) and value:
        place = rng.randrange(len(value))
        old = value[place]
        digits = "0123456789" if value.isdecimal() else "0123456789abcdef"
        other = [digit for digit in digits if digit != old] if old in digits else [chr(ord(old) ^ 1)]
        return value[:place] + rng.choice(other) + value[place + 1 :]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return {"list": ["00"], "dict": {"surprise": "00"}}.get(type(value).__name__, "00")


@pytest.mark.parametrize(
    "value", ["0", "a", "ff" * 9, "17", "é", "Z", "", True, False, 0, -3, 0.5, None, [], {}]
)
def test_an_altered_value_is_another_of_the_same_length(value: Any) -> None:
    rng = Random(5)
    for _ in range(20):
        other = altered(value, rng)
        assert other != value
        assert not isinstance(value, str) or value == "" or len(other) == len(value)


def test_leaves_are_all_single_values() -> None:
    held = {"a": [1, {"b": None}], "c": {}, "d": []}
    assert list(leaves(held)) == [("a", 0), ("a", 1, "b"), ("c",), ("d",)]
    assert facts("x", {"hash": "00", "why": "so", "error": True, "in": [{"what": 1, "n": 2}]}) == [
        ("hash",),
        ("in", 0, "n"),
    ]


def facts(name: str, expected: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Give the paths of `expected` that hold values to be compared; how a refusal is worded is not."""
    others = WORDS | INPUTS.get(name, set())
    return [path for path in leaves(expected) if path and not {*path} & others and path[0] != "error"]


@pytest.mark.parametrize("name", NAMES)
def test_any_altered_digit_of_any_expected_value_fails_the_case(name: str) -> None:
    rng = Random(f"altered {name}")
    cases = cases_of(name)
    places = [
        (case, path)
        for case in rng.sample(cases, min(len(cases), CASES))
        for path in facts(name, case["expected"])
    ]
    for case, path in rng.sample(places, min(len(places), ALTERATIONS)):
        old = at(case["expected"], path)
        for _ in range(4 if FULL else 1):
            new = altered(old, rng)
            told = verdict(name, with_leaf(case, ("expected", *path), new))
            assert told.failed == 1, f"{case['id']}: {path}: {old} may as well be {new}"


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_that_is_expected_of_a_good_case_fails(name: str) -> None:
    for case in cases_of(name)[:CASES]:
        if "error" not in case["expected"]:
            assert verdict(name, {**case, "expected": {"error": True}}).failed == 1


@pytest.mark.parametrize("name", [name for name in NAMES if name in REFERENCE])
def test_every_case_of_the_reference_passes(name: str) -> None:
    (told,) = judge({name: REFERENCE[name]})
    assert (told.passed, told.problems) == (len(REFERENCE[name]), ())


def test_every_section_says_what_it_covers() -> None:
    for name, section in sections().items():
        assert section.covers, name
        assert section.direction, name
        assert section.summary, name


# Emitting


def test_the_same_seed_gives_the_same_text_in_any_process_and_another_seed_another(tmp_path: Path) -> None:
    path = tmp_path / "ours.json"
    hashing = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"  # not as in this process
    subprocess.run(
        [*PROGRAM, "--emit", "2", "--seed", "7", "--out", str(path)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": hashing},
    )
    text = path.read_text("utf-8")
    assert text == json.dumps(emit(2, 7), indent=1, ensure_ascii=False) + "\n"
    one, other = json.loads(text)["sections"], emit(2, 8)["sections"]
    assert list(one) == list(other) == NAMES
    assert not [name for name in NAMES if one[name]["cases"] == other[name]["cases"]]


def test_what_is_emitted_is_accepted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "ours.json"
    assert call(capsys, "--emit", str(EMITTED), "--seed", "9", "--out", path) == (0, "", "")
    code, told, errors = call(capsys, path)
    assert (code, errors, told.splitlines()[-1]) == (0, "", f"{EMITTED * len(NAMES)} passed, 0 failed")


def test_without_a_file_the_text_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, errors = call(capsys, "--emit", "1", "--seed", "9")
    assert (code, json.loads(told), errors) == (0, emit(1, 9), "")


def test_more_cases_do_not_change_the_first_ones() -> None:
    for name, held in emit(2, 3)["sections"].items():
        assert held["cases"] == OURS[name]["cases"][:2]


def test_a_place_that_cannot_be_written_is_wrong_input(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, told, errors = call(capsys, "--emit", "1", "--out", tmp_path / "missing" / "x.json")
    assert (code, told) == (2, "")
    assert "--out" in errors


@pytest.mark.parametrize("name", NAMES)
def test_emitted_cases_differ_from_each_other(name: str) -> None:
    inputs = [json.dumps(case["input"]) for case in OURS[name]["cases"]]
    assert len(set(inputs)) > 1
    assert [case["id"] for case in OURS[name]["cases"]] == [f"{name}-{k + 1}" for k in range(EMITTED)]


def misfit(value: Any, models: list[Any], place: str = "") -> str:
    """Say where a value has a form that no model has; empty if it fits.

    Fields that all models have must be there, fields that none has must not, and each value is of a type
    that the field has somewhere.
    """
    kinds = {type(model) for model in models}
    if type(value) not in kinds:
        return f"{place}: {type(value).__name__}, in the reference {sorted(kind.__name__ for kind in kinds)}"
    if isinstance(value, dict) and place.rpartition(".")[2] in KEYED:
        inner = [one for model in models if isinstance(model, dict) for one in model.values()]
        return next(filter(None, (misfit(one, inner, f"{place}{{}}") for one in value.values())), "")
    if isinstance(value, dict):
        known = [{*model} - WORDS for model in models if isinstance(model, dict)]
        odd = ({*value} - WORDS - set.union(*known)) | (set.intersection(*known) - {*value})
        if odd:
            return f"{place}: fields {sorted(odd)} are new or missing"
        below = {
            key: [m[key] for m in models if isinstance(m, dict) and key in m] for key in {*value} - WORDS
        }
        return next(filter(None, (misfit(value[k], below[k], f"{place}.{k}") for k in sorted(below))), "")
    if isinstance(value, list):
        items = [item for model in models if isinstance(model, list) for item in model]
        return next(filter(None, (misfit(item, items, f"{place}[]") for item in value)), "")
    return ""


@pytest.mark.parametrize("name", [name for name in NAMES if name in REFERENCE])
def test_emitted_cases_have_the_form_of_the_reference(name: str) -> None:
    models = [{key: part for key, part in case.items() if key != "id"} for case in REFERENCE[name]]
    for case in OURS[name]["cases"]:
        assert misfit({key: part for key, part in case.items() if key != "id"}, models) == "", case["id"]


def test_a_misfit_is_noticed() -> None:
    models = [{"a": "x", "b": [1], "c": None}, {"a": "x"}, {"a": "x", "c": 5}]
    for fitting in ({"a": "y"}, {"a": "y", "b": [5, 6], "c": 7}, {"a": "y", "b": [], "why": {}}):
        assert misfit(fitting, models) == ""
    assert misfit({"digests": {"ab": "x"}}, [{"digests": {"cd": "y"}}]) == ""
    assert misfit({"digests": {"ab": 5}}, [{"digests": {"cd": "y"}}]) == (
        ".digests{}: int, in the reference ['str']"
    )
    assert misfit({"a": 5}, models) == ".a: int, in the reference ['str']"
    assert misfit({"b": [1]}, models) == ": fields ['a'] are new or missing"
    assert misfit({"a": "y", "d": 1}, models) == ": fields ['d'] are new or missing"
    assert misfit({"a": "y", "b": ["1"]}, models) == ".b[]: str, in the reference ['int']"
    assert misfit({"a": "y", "b": 1}, models) == ".b: int, in the reference ['list']"
    assert misfit({"a": "y", "c": "5"}, models) == ".c: str, in the reference ['NoneType', 'int']"
