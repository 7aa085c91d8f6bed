"""The shipped scenario of one position, shortened: every attack gives a value between floor and ceiling.

A swarm member's presence, onset, device count, time zone and contacts, a provider's events, foreground and
platform, and who is told by pushes (metrics 2d, 2e, 2h). Four hours say little about a zone; that it has a
value is what is tested of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.readings import Reading
from sessionsim.experiment import installed, run_scenario
from sessionsim.scenario import read_scenario, resolve

FILE = Path(__file__).parents[2] / "scenarios/attacks/one-position.toml"
MAIN = {
    "presence": "alarms that are true",
    "onset": "mean error",
    "devices": "top 1",
    "zone": "mean error",
    "contacts": "alarms that are true",
    "events": "top 1",
    "foreground": "advantage",
    "platform": "top 1",
    "push": "top 1",
}
# Attacks that have enough to go on in so short a time to beat the blind guess beyond chance.
BETTER = ("presence", "events", "foreground", "platform", "push", "contacts")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    short = ("run.seeds=1..3", "training.seeds=201", "run.duration=4 h")
    scenario = resolve(read_scenario(FILE, short), installed())
    assert {attack.name for attack in scenario.attacks} == set(MAIN)
    finished = run_scenario(scenario, tmp_path_factory.mktemp("position") / "out", 1)
    return {one.name: one for one in finished.readings}


def of(found: dict[str, Reading], attack: str) -> Reading:
    return found[f"{attack}, closed world of 12: {MAIN[attack]}"]


@pytest.mark.slow
def test_every_attack_gives_a_value_with_interval_floor_and_ceiling(found: dict[str, Reading]) -> None:
    for attack in MAIN:
        one = of(found, attack)
        assert one.value is not None, one
        assert one.low is not None, one
        assert one.high is not None, one
        assert one.low <= one.value <= one.high
        assert one.baseline is not None, one
        assert "ceiling" in one.counts, one


@pytest.mark.slow
def test_most_of_them_beat_the_blind_guess_beyond_chance(found: dict[str, Reading]) -> None:
    for attack in BETTER:
        one = of(found, attack)
        assert one.low is not None
        assert one.baseline is not None
        assert one.low > one.baseline, one
    onset = of(found, "onset")
    assert onset.value is not None
    assert onset.baseline is not None
    assert onset.value < onset.baseline
