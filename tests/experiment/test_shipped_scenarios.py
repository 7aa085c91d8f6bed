"""Every scenario that is shipped asks something, says so on top, and can be run as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.experiment import installed, preflight
from sessionsim.scenario import read_scenario, resolve

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.toml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_asks_in_its_header_and_can_be_run(path: Path) -> None:
    header = [line.lstrip("# ") for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
    assert "?" in " ".join(header[:3])
    scenario = resolve(read_scenario(path), installed())
    assert scenario.question.endswith("?")
    preflight(scenario)
