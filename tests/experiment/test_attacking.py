"""Attacks on a finished run: made once, made again when they change, the same whatever the workers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.storage import read_table
from sessionsim.core.verdict_storage import NAME, read_verdicts
from sessionsim.experiment import installed, load_replicate, preflight, run_scenario
from sessionsim.experiment.readings_file import read_readings
from sessionsim.scenario import Scenario, read_scenario, resolve
from tests.conftest import TINY

ATTACKS = """
[training]
seeds = "31"
[background]
populations = [0, 1000]
[attacks.timing]
kind = "likelihood-ratio"
vantage = "both"
[attacks.blind]
kind = "random-guess"
vantage = "isp"
"""


def scenario(folder: Path, *overrides: str, attacks: str = ATTACKS) -> Scenario:
    path = folder / "tiny.toml"
    path.write_text(TINY.replace('drain = "8 s"', 'drain = "8 s"\nkeep_bytes = true') + attacks)
    return resolve(read_scenario(path, overrides), installed())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with attacks, made by one worker; whoever changes it takes a `copy`."""
    folder = tmp_path_factory.mktemp("attacked")
    return run_scenario(scenario(folder), folder / "out").folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "copy")


def verdicts(out: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in sorted(out.glob(f"*/{NAME}"))}


def test_a_run_with_attacks_leaves_verdicts_and_readings(finished: Path) -> None:
    assert sorted(verdicts(finished)) == ["1", "2", "9"]  # the training seed is not attacked
    assert (finished / "31" / "manifest.json").is_file()
    found = read_verdicts(finished / "1")
    assert [(one.attack, one.population) for one in found] == [("timing", 0), ("timing", 1000), ("blind", 0)]
    stored = load_replicate(finished / "1").verdicts[0].verdict
    assert stored.subject.tolist() == found[0].verdict.subject.tolist()
    names = {one.name for one in read_readings(finished)}
    assert "timing, closed world of 4: top 1" in names
    assert "timing, population 1,000: top 1" in names
    seeds = json.loads((finished / "readings.json").read_text())["seeds"]
    assert seeds == [1, 2, 9]
    # Each replicate has its own readings of its verdicts beside those of its run.
    for seed in ("1", "2", "9"):
        own = read_table(finished / seed / "readings.parquet", ("metric", "name", "value"))
        assert "timing, closed world of 4: top 1" in own["name"].tolist()


def test_workers_change_nothing(finished: Path, tmp_path: Path) -> None:
    second = tmp_path / "two"
    assert run_scenario(scenario(tmp_path), second, workers=2).seeds == (1, 2, 9)
    assert verdicts(finished) == verdicts(second)
    assert (finished / "readings.json").read_bytes() == (second / "readings.json").read_bytes()


def test_repetition_changes_nothing(finished: Path, copy: Path, tmp_path: Path) -> None:
    times = {path: path.stat().st_mtime_ns for path in copy.glob(f"*/{NAME}")}
    again = run_scenario(scenario(tmp_path), copy)
    assert again.reused == 3
    assert {path: path.stat().st_mtime_ns for path in copy.glob(f"*/{NAME}")} == times
    assert len(times) == 3
    assert (copy / "readings.json").read_bytes() == (finished / "readings.json").read_bytes()


def test_other_attacks_need_no_other_run(copy: Path, tmp_path: Path) -> None:
    before = verdicts(copy)
    changed = run_scenario(scenario(tmp_path, "attacks.timing.sizes=false"), copy)
    assert changed.reused == 3
    assert verdicts(copy) != before
    without = run_scenario(scenario(tmp_path, attacks=""), copy)
    assert without.reused == 3
    assert verdicts(copy) == {}
    assert not any("timing" in one.name for one in without.readings)
    back = run_scenario(scenario(tmp_path), copy)
    assert verdicts(copy) == before
    assert any("timing" in one.name for one in back.readings)


def test_readings_without_attacks_are_those_there_were(finished: Path, tmp_path: Path) -> None:
    plain = run_scenario(scenario(tmp_path, attacks=""), tmp_path / "plain").folder
    old, new = ({(one.metric, one.name): one for one in read_readings(out)} for out in (plain, finished))
    assert old
    assert old == {key: new[key] for key in old}


@pytest.mark.parametrize(
    ("overrides", "place", "allowed"),
    [
        (("attacks.timing.vantage=isp",), "attacks.timing.vantage", "operates service nodes"),
        (("run.keep_bytes=false",), "attacks.timing.vantage", "run.keep_bytes"),
        (("training.seeds=",), "attacks.timing", "[training]"),
    ],
)
def test_what_an_attack_lacks_is_said_before_anything_runs(
    tmp_path: Path, overrides: tuple[str, ...], place: str, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        preflight(scenario(tmp_path, *overrides))
    assert wrong.value.place == place
    assert allowed in wrong.value.allowed
