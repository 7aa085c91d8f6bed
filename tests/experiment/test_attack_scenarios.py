"""Shipped scenarios of attacks: each can be run, and each figure stands between floor and ceiling.

The blind guess must score the base rate and the oracle what can be reached, whatever the attacks are. That is
asked of one small run of each scenario by `test_reference_reduced`, and with SESSIONSIM_FULL of three seeds
and longer runs here.
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from sessionsim.adversary import ATTACKS
from sessionsim.core.readings import Reading
from sessionsim.experiment import installed, preflight, run_scenario
from sessionsim.report import stored_answers, write_report
from sessionsim.scenario import Scenario, read_scenario, resolve
from tests.experiment.floors import between_floor_and_ceiling, floor_holds

FOLDER = Path(__file__).parents[2] / "scenarios/attacks"
FILES = sorted(FOLDER.glob("*.toml"))
RECORDED = FOLDER.parents[1] / "results/reference"
by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
# Smaller worlds and shorter runs; the same attacks and observers.
REDUCED = ("run.seeds=1..3", "network.limit_swarms=30", "background.populations=[0, 1000]")
SHORTER = {
    "long-term": "1 h", "active": "6 min", "linkage": "8 min", "one-position": "8 min", "time-zone": "12 h",
}  # fmt: skip
FULL = pytest.mark.skipif(
    not os.environ.get("SESSIONSIM_FULL"), reason="smaller runs: test_reference_reduced"
)


def reduced(path: Path) -> Scenario:
    written = tomllib.loads(path.read_text())
    short = f"run.duration={SHORTER.get(path.stem, '40 s')}"
    months = (
        ("months.accounts=200", "months.campaigns=2", "months.registrations=20")
        if "months" in written
        else ()
    )
    training = ("training.seeds=201",) if "training" in written else ()
    return resolve(read_scenario(path, (*REDUCED, short, *months, *training)), installed())


def scored(attack: str, readings: list[dict[str, object]]) -> bool:
    """Whether something is said of an attack: how often it is right, tells pairs apart, how far it errs."""
    ends = (": top 1", ": advantage", ": mean error")
    names = [str(one["name"]) for one in readings if one["value"] is not None]
    return any(name.startswith(f"{attack}, ") and name.endswith(ends) for name in names)


def test_every_attack_is_in_a_scenario_and_scored_where_readings_are_recorded() -> None:
    ATTACKS.scan()
    shipped, recorded, said = set[str](), set[str](), set[str]()
    for path in FILES:
        scenario = resolve(read_scenario(path), installed())
        shipped |= {attack.kind for attack in scenario.attacks}
        stored = RECORDED / f"attacks-{path.stem}/readings.json"
        if stored.is_file():
            readings = json.loads(stored.read_text())["readings"]
            recorded |= {attack.kind for attack in scenario.attacks}
            said |= {attack.kind for attack in scenario.attacks if scored(attack.name, readings)}
    assert shipped == {entry.id for entry in ATTACKS}
    assert said == recorded


def test_there_is_one_for_every_family() -> None:
    assert {
        "paths",
        "time-and-size",
        "long-term",
        "swarm-member",
        "provider",
        "open-world",
        "active",
        "linkage",
    } <= {path.stem for path in FILES}


@by_file
def test_it_can_be_run(path: Path) -> None:
    scenario = resolve(read_scenario(path, ("network.limit_swarms=30",)), installed())
    preflight(scenario)
    assert scenario.attacks or scenario.sections["months"].accounts
    assert scenario.question.endswith("?")
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize(("baseline", "holds"), [(0.42, True), (0.3, True), (0.6, False), (0.05, False)])
def test_a_floor_where_no_blind_guess_is_shows(baseline: float, holds: bool) -> None:
    counts = {"asked": 36.0, "blind low": 1 / 3, "blind high": 1 / 3}
    one = Reading(
        "rank-of-truth", "x: top 5", "prob", 0.5, 0.4, 0.6, "t", 3, "seed", baseline, "blind", None, counts
    )
    assert floor_holds(one) is holds


@FULL
@pytest.mark.slow
@by_file
def test_blind_guesses_score_the_base_rate_and_oracles_the_ceiling(path: Path, tmp_path: Path) -> None:
    finished = run_scenario(reduced(path), tmp_path / "out", 2)
    assert between_floor_and_ceiling(finished.readings)
    page = write_report(finished.folder).read_text()
    assert all(sentence in page.replace("\u00a0", " ") for sentence in stored_answers(finished.folder)[:1])
