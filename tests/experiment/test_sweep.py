"""Sweeps: a run for each value, resumable, and a file that appears when all of them are done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput, StorageDamaged
from sessionsim.experiment import Progress, check_sweep, folders_of, forget_sweep, run_scenario, run_sweep
from sessionsim.experiment.readings_file import read_readings
from sessionsim.report import sweep_lines, write_report, write_sweep
from sessionsim.scenario import Point, Scenario
from sessionsim.scenario.sweep import Sweep

SWEEP = Sweep(("workload.pace",), ("1", "10 %"), ("delivery: delivered", "latency: end to end, mean"))


@pytest.fixture
def points(tiny: Scenario) -> tuple[Point, ...]:
    """Two values that differ in the workload; one seed each, nothing opened."""
    small = replace(tiny.with_seeds((1,)), opening=None)
    other = replace(small, seeds=(2,))
    return (Point("1", small), Point("10 %", other))


def test_a_sweep_leaves_a_run_for_each_value_and_a_page(points: tuple[Point, ...], tmp_path: Path) -> None:
    out, told = tmp_path / "out", list[Progress]()
    finished = run_sweep(SWEEP, points, out, 1, told.append)
    assert [one.folder.name for one in finished] == ["01-1", "02-10-percent"]
    assert told[-1].share == 1.0
    assert (told[-1].done, told[-1].total) == (2, 2)
    assert [one.share for one in told] == sorted(one.share for one in told)
    stored = json.loads((out / "sweep.json").read_text())
    assert [one["value"] for one in stored["points"]] == ["1", "10 %"]
    # Each is what a run of that scenario alone gives.
    alone = run_scenario(points[1].scenario, tmp_path / "alone", 1)
    assert read_readings(out / "02-10-percent") == read_readings(alone.folder)
    page = write_sweep(out).read_text()
    assert page.startswith("<!doctype html>")
    for text in (
        "delivery: delivered, at 10 %",
        "latency: end to end, mean, at 1",
        "02-10-percent/report.html",
    ):
        assert text in page
    value = next(one for one in read_readings(alone.folder) if one.name == "delivered").value
    assert value is not None
    lines = sweep_lines(out)
    assert [line.partition(":")[0] for line in lines] == ["1", "10 %"]
    assert "delivery: delivered" in lines[1]


def test_the_same_call_goes_on_and_forgetting_begins_anew(points: tuple[Point, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run_sweep(SWEEP, points[:1], out, 1)
    again = run_sweep(SWEEP, points, out, 1)
    assert (first[0].reused, again[0].reused, again[1].reused) == (0, 1, 0)
    check_sweep(points, out)
    forget_sweep(points, out)
    assert not (out / "sweep.json").exists()
    assert [path for folder in folders_of(points, out) for path in folder.iterdir()] == []


def test_a_sweep_that_is_not_done_is_none(points: tuple[Point, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_sweep(SWEEP, points, out, 1)

    def stop(reached: Progress) -> None:
        raise KeyboardInterrupt

    forget_sweep(points[1:], out)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(SWEEP, points, out, 1, stop)
    assert not (out / "sweep.json").exists()
    with pytest.raises(StorageDamaged, match=r"sweep\.json"):
        write_sweep(out)


def test_what_lies_in_the_folder_afterwards_decides(points: tuple[Point, ...], tmp_path: Path) -> None:
    """A plain run into the folder of a sweep replaces it as the result of that folder."""
    out = tmp_path / "out"
    run_sweep(SWEEP, points, out, 1)
    run_scenario(points[0].scenario, out, 1)
    assert not (out / "sweep.json").exists()
    write_report(out)


@pytest.mark.parametrize("name", ["sweep.json", "02-10-percent/2/letter.txt", "02-10-percent/readings.json"])
def test_nothing_of_others_is_overwritten(points: tuple[Point, ...], tmp_path: Path, name: str) -> None:
    theirs = tmp_path / "out" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    with pytest.raises(InvalidInput):
        check_sweep(points, tmp_path / "out")
    assert theirs.read_text() == "mine"


def test_a_missing_run_of_a_sweep_is_told(points: tuple[Point, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_sweep(SWEEP, points, out, 1)
    (out / "02-10-percent/readings.json").unlink()
    with pytest.raises(StorageDamaged, match="02-10-percent"):
        write_sweep(out)
    (out / "sweep.json").write_text('{\n "format": 1,\n "points": [1]}')
    with pytest.raises(StorageDamaged, match=r"sweep\.json"):
        sweep_lines(out)
