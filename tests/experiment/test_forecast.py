from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.experiment import forecast, installed
from sessionsim.experiment.forecast import _Cost
from sessionsim.scenario import Scenario, read_scenario, resolve

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_costs_are_extended_along_the_line_and_never_shrink() -> None:
    short, long = _Cost(1.0, 100, 1000), _Cost(1.5, 200, 900)
    assert short.at(long, 4.0) == _Cost(3.0, 500, 1000)


def test_a_short_scenario_is_forecast_from_itself(tiny: Scenario) -> None:
    cost, scene, positions = forecast(tiny, 1)
    assert cost.rows > 100
    assert cost.disk_bytes > 10_000
    assert cost.messages > 0
    assert cost.seconds < cost.sample_s * 2
    assert list(positions) == ["isp", "nodes", "both"]
    assert len(scene.client_endpoints) == 4


@pytest.mark.parametrize("name", ["v2/first-v2", "v2/device-group", "everyday", "attacks/one-position"])
def test_a_sample_of_a_second_is_enough_for_every_metric(name: str) -> None:
    few = ("network.limit_swarms=30", "run.duration=10 s", "run.warmup=0 s", "run.drain=0 s")
    scenario = resolve(read_scenario(SCENARIOS / f"{name}.toml", few), installed())
    assert forecast(scenario, 1)[0].seconds > 0
