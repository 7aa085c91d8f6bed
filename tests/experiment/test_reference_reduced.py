"""Recorded results of longer scenarios, at reduced size: `reduced.json` beside the readings says how.

Readings of attacks must also stand between floor and ceiling.

To record them anew, run this file with SESSIONSIM_RECORD=1 and look at what changed: `git diff --stat`.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from sessionsim.experiment import installed, run_scenario
from sessionsim.scenario import read_scenario, resolve
from tests.experiment.floors import between_floor_and_ceiling
from tests.experiment.test_reference import ROOT, differences

REDUCED = sorted((ROOT / "results/reference").glob("*/reduced.json"))


@pytest.mark.slow
@pytest.mark.parametrize("reduced", REDUCED, ids=lambda path: path.parent.name)
def test_a_reduced_scenario_gives_its_recorded_readings(reduced: Path, tmp_path: Path) -> None:
    how = json.loads(reduced.read_text())
    scenario = resolve(read_scenario(ROOT / "scenarios" / how["scenario"], how["overrides"]), installed())
    finished = run_scenario(scenario, tmp_path / "out", 1)
    if how["scenario"].startswith("attacks/"):
        assert between_floor_and_ceiling(finished.readings)
    recorded = reduced.with_name("readings.json")
    if os.environ.get("SESSIONSIM_RECORD"):
        shutil.copyfile(tmp_path / "out/readings.json", recorded)
    found, expected = (json.loads(path.read_text()) for path in (tmp_path / "out/readings.json", recorded))
    found.pop("version"), expected.pop("version")
    assert differences(found, expected) == []


def test_there_are_recorded_readings_of_every_shipped_scenario() -> None:
    """The first look is recorded whole, with its fast twin, in `test_reference.py`."""
    shipped = [path.relative_to(ROOT / "scenarios") for path in (ROOT / "scenarios").rglob("*.toml")]
    wanted = {f"attacks-{path.stem}" if path.parent.name == "attacks" else path.stem for path in shipped}
    assert {path.parent.name for path in REDUCED} == wanted - {"first-look", "first-look-fast"}
    for reduced in REDUCED:
        recorded = json.loads(reduced.with_name("readings.json").read_text())
        assert recorded["scenario"] == Path(json.loads(reduced.read_text())["scenario"]).stem
        assert recorded["readings"]


def test_the_recorded_readings_of_version_2_are_about_something() -> None:
    """Texts that wait and that go without keys; keys of devices that change, and races of the account's."""
    for name, metric, wanted in (
        ("first-v2", "account-keys", ("waited for keys", "sealed under version 1")),
        (
            "device-group",
            "device-groups",
            ("changes of device keys per device and day", "races of account keys per account and day"),
        ),
    ):
        recorded = json.loads((ROOT / "results/reference" / name / "readings.json").read_text())["readings"]
        hits = {
            one["name"]: one["counts"]["hits"]
            for one in recorded
            if one["metric"] == metric and "hits" in one["counts"]
        }
        assert all(hits[one] > 0 for one in wanted), hits
