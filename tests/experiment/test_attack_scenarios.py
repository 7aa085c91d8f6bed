"""Shipped scenarios of attacks: each can be run, and each figure stands between floor and ceiling.

The slow test runs some at reduced size, all of them with SESSIONSIM_FULL: the blind guess must score the base
rate and the oracle what can be reached, whatever the attacks are.
"""

from __future__ import annotations

import math
import os
import tomllib
from pathlib import Path

import pytest

from sessionsim.core.readings import Reading
from sessionsim.experiment import installed, preflight, run_scenario
from sessionsim.report import stored_answers, write_report
from sessionsim.scenario import Scenario, read_scenario, resolve

FOLDER = Path(__file__).parents[2] / "scenarios/attacks"
FILES = sorted(FOLDER.glob("*.toml"))
by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
# Smaller worlds and shorter runs; the same attacks and observers.
REDUCED = ("run.seeds=1..3", "network.limit_swarms=30", "background.populations=[0, 1000]")
SHORTER = {"long-term": "1 h", "active": "6 min"}
RUN = FILES if os.environ.get("SESSIONSIM_FULL") else [FOLDER / "provider.toml"]


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


def test_there_is_one_for_every_family() -> None:
    assert {"paths", "time-and-size", "long-term", "swarm-member", "provider", "open-world", "active"} <= {
        path.stem for path in FILES
    }


@by_file
def test_it_can_be_run(path: Path) -> None:
    scenario = resolve(read_scenario(path, ("network.limit_swarms=30",)), installed())
    preflight(scenario)
    assert scenario.attacks or scenario.sections["months"].accounts
    assert scenario.question.endswith("?")
    assert path.read_text().startswith("# ")


def floor_holds(one: Reading) -> bool:
    """Whether the base rate lies where a blind guess's own interval, widened a little, has it."""
    low, high = one.counts.get("blind low"), one.counts.get("blind high")
    if low is None or high is None or one.baseline is None:
        return True
    slack = 0.5 * (high - low) + 3 / max(one.counts.get("asked", 1.0), 1.0)
    return low - slack <= one.baseline <= high + slack


@pytest.mark.slow
@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_blind_guesses_score_the_base_rate_and_oracles_the_ceiling(path: Path, tmp_path: Path) -> None:
    finished = run_scenario(reduced(path), tmp_path / "out", 2)
    tops = [one for one in finished.readings if one.metric == "rank-of-truth" and ": top " in one.name]
    for one in tops:
        assert floor_holds(one), one
        assert math.isclose(
            one.counts["ceiling"], one.counts["reachable"] / one.counts["asked"], abs_tol=1e-9
        )
        assert one.value is None or one.value <= one.counts["ceiling"] + 1e-9
    games = [one for one in finished.readings if one.name.endswith(": advantage")]
    for one in games:
        if one.baseline is not None:
            # A blind guess's place is uniform, so its game has the deviation 1/sqrt(3); an account's games
            # share their rivals and count as one.
            assert abs(one.baseline) < 4.5 / math.sqrt(3 * one.counts["accounts"]), one
    numbers = [one for one in finished.readings if one.name.endswith(": mean error")]
    for one in numbers:
        assert one.value is None or one.value >= one.counts["ceiling"] == 0, one
    shares = ("time-to-compromise", "coverage-of-many")
    assert tops or games or numbers or any(one.metric in shares for one in finished.readings)
    page = write_report(finished.folder).read_text()
    assert all(sentence in page.replace("\u00a0", " ") for sentence in stored_answers(finished.folder)[:1])
