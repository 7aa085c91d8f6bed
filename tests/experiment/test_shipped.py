"""Every shipped scenario can be run: it resolves, its wishes can be carried out, its observers stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.experiment import installed, preflight
from sessionsim.experiment.stage import version2_of
from sessionsim.scenario import read_scenario, resolve

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SHIPPED = sorted(SCENARIOS.rglob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(SCENARIOS).as_posix())
def test_a_shipped_scenario_can_be_run(path: Path) -> None:
    scenario = resolve(read_scenario(path), installed())
    assert scenario.question.endswith("?")
    preflight(scenario)


def test_scenarios_of_version_2_have_its_rules_and_others_do_not() -> None:
    for path in SHIPPED:
        scenario = resolve(read_scenario(path), installed())
        assert (version2_of(scenario) is not None) is (path.parent.name == "v2")
