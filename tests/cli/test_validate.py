"""`sessionsim validate` as people use it."""

from __future__ import annotations

import json

import pytest

from sessionsim.cli import main


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["validate", *arguments])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


def test_a_named_check_with_other_values(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, errors = call(capsys, "sda", "--N", "300", "--b", "5", "--m", "4", "--t=30", "--runs", "300")
    assert (code, errors) == (0, "")
    lines = told.strip().splitlines()
    assert lines[0] == "V15 sda: passed  [--N 300 --b 5 --m 4 --t 30 --runs 300 --seed 1]"
    assert all("expected" in line and "got" in line and "tolerance" in line for line in lines[1:-1])
    assert lines[-1] == "1 passed, 0 failed"


def test_numbers_are_names_too_and_a_file_may_be_missing(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = call(capsys, "V1", "v23", "padding", "--reduced")
    assert code == 0
    assert told.strip().splitlines()[-1] == "2 passed, 0 failed, 1 need a file"


def test_a_failed_check_gives_exit_code_one(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    path = tmp_path / "t.csv"  # type: ignore[operator]
    path.write_text("1,2,10\n2,1,20\n")
    code, told, _ = call(capsys, "trace-loader", "--file", str(path))
    assert code == 1
    assert told.strip().splitlines()[-1] == "0 passed, 1 failed"
    assert "FAIL  people: expected 1899, got 2" in told


def test_a_parameter_goes_to_every_named_check_that_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = call(capsys, "V20", "V21", "--pi", "0.01", "--seed", "5", "--reduced", "--json")
    assert code == 0
    found = json.loads(told)
    assert found["summary"] == "2 passed, 0 failed"
    assert [one["number"] for one in found["checks"]] == ["V20", "V21"]
    assert [one["parameters"]["seed"] for one in found["checks"]] == [5, 5]
    assert found["checks"][1]["parameters"]["pi"] == [0.01]
    assert all(finding["passed"] for one in found["checks"] for finding in one["findings"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "found 'nonsense'; allowed: one of V1 pool-mix"),
        (["sda", "--q", "4"], "found '--q'; allowed: parameters --N, --b"),
        (["sda", "--N", "-4"], "validate sda --N: found '-4'; allowed: a whole number, 4 to 100000"),
        (["sda", "--N", "x"], "a whole number"),
        (["sda", "--N"], "a value after the parameter"),
        (["sda", "--N", "5", "--N", "6"], "each parameter once"),
        (["sda", "--N", "5", "--m", "5"], "below N=5"),
        (["first-last", "--c", "2000"], "at most N=1600"),
        (["slot-queue", "--r", "0.95"], "at most 0.9"),
        (["trace-loader", "--file", "no-such-file"], "No such file"),
        (["structure", "--platform", "beos"], "one of android, desktop, ios"),
        (["--bogus", "1"], "found '--bogus'"),
    ],
)
def test_wrong_input_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, told, errors = call(capsys, *arguments)
    assert (code, told) == (2, "")
    assert message in errors


@pytest.mark.parametrize("arguments", [["list"], ["--help"], ["sda", "--help"]])
def test_help_and_list_show_checks_with_their_parameters(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, told, _ = call(capsys, *arguments)
    assert code == 0
    assert "V15 sda" in told
    assert "--N 1000  recipients" in told
    assert "V28 invariants" in told
