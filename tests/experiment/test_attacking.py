"""Attacks on a finished run: made once, made again when they change, the same whatever the workers."""

from __future__ import annotations

import json
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


def verdicts(out: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in sorted(out.glob(f"*/{NAME}"))}


def test_a_run_with_attacks_leaves_verdicts_and_readings(tmp_path: Path) -> None:
    out = tmp_path / "out"
    finished = run_scenario(scenario(tmp_path), out)
    assert finished.seeds == (1, 2, 9)
    assert sorted(verdicts(out)) == ["1", "2", "9"]  # the training seed is not attacked
    assert (out / "31" / "manifest.json").is_file()
    found = read_verdicts(out / "1")
    assert [(one.attack, one.population) for one in found] == [("timing", 0), ("timing", 1000), ("blind", 0)]
    assert load_replicate(out / "1").verdicts[0].verdict.subject.tolist() == found[0].verdict.subject.tolist()
    names = {one.name for one in read_readings(out)}
    assert "timing, closed world of 4: top 1" in names
    assert "timing, population 1,000: top 1" in names
    seeds = json.loads((out / "readings.json").read_text())["seeds"]
    assert seeds == [1, 2, 9]
    # Each replicate has its own readings of its verdicts beside those of its run.
    for seed in ("1", "2", "9"):
        own = read_table(out / seed / "readings.parquet", ("metric", "name", "value"))
        assert "timing, closed world of 4: top 1" in own["name"].tolist()


def test_workers_and_repetition_change_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    run_scenario(scenario(tmp_path), first, workers=1)
    run_scenario(scenario(tmp_path), second, workers=2)
    assert verdicts(first) == verdicts(second)
    assert (first / "readings.json").read_bytes() == (second / "readings.json").read_bytes()
    times = {path: path.stat().st_mtime_ns for path in first.glob(f"*/{NAME}")}
    again = run_scenario(scenario(tmp_path), first)
    assert again.reused == 3
    assert {path: path.stat().st_mtime_ns for path in first.glob(f"*/{NAME}")} == times
    assert (first / "readings.json").read_bytes() == (second / "readings.json").read_bytes()


def test_other_attacks_need_no_other_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_scenario(scenario(tmp_path), out)
    before = verdicts(out)
    changed = run_scenario(scenario(tmp_path, "attacks.timing.sizes=false"), out)
    assert changed.reused == 3
    assert verdicts(out) != before
    without = run_scenario(scenario(tmp_path, attacks=""), out)
    assert without.reused == 3
    assert verdicts(out) == {}
    assert not any("timing" in one.name for one in without.readings)
    back = run_scenario(scenario(tmp_path), out)
    assert verdicts(out) == before
    assert any("timing" in one.name for one in back.readings)


def test_readings_without_attacks_are_those_there_were(tmp_path: Path) -> None:
    plain = run_scenario(scenario(tmp_path, attacks=""), tmp_path / "plain")
    attacked = run_scenario(scenario(tmp_path), tmp_path / "attacked")
    old = {(one.metric, one.name): one for one in plain.readings}
    new = {(one.metric, one.name): one for one in attacked.readings}
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
