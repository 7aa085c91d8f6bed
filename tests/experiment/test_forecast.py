from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.experiment import forecast, installed
from sessionsim.experiment.forecast import _Cost, extend
from sessionsim.scenario import Scenario, read_scenario, resolve

SCENARIOS = Path(__file__).parents[2] / "scenarios"


S = 1_000_000


def test_costs_are_extended_along_the_line_with_the_range_that_the_noise_leaves() -> None:
    # Fixed 1 s and 0.05 s for each simulated second; 10 % of noise either way.
    span, rows, disk_bytes = extend(_Cost(8 * S, 1.4, 80, 1000), _Cost(48 * S, 3.4, 480, 5000), 0.1, 3600 * S)
    assert span.seconds == pytest.approx(1 + 0.05 * 3600)
    assert span.least_s == pytest.approx(1.54 + (3.06 - 1.54) * 3592 / 40)
    assert span.most_s == pytest.approx(1.26 + (3.74 - 1.26) * 3592 / 40)
    assert (rows, disk_bytes) == (36_000, 1000 + 4000 * 3592 / 40)


@pytest.mark.parametrize("longer_s", [2.0, 1.9, 0.5])
def test_samples_that_contradict_each_other_give_the_most_that_it_can_be(longer_s: float) -> None:
    span, rows, _ = extend(_Cost(8 * S, 2.0, 100, 9), _Cost(48 * S, longer_s, 90, 9), 0.1, 4800 * S)
    assert span.seconds == pytest.approx(100 * longer_s)
    assert 0 < span.least_s < span.seconds <= span.most_s
    assert rows == 9000


def test_nothing_costs_more_than_if_nothing_were_fixed() -> None:
    span, _, _ = extend(_Cost(8 * S, 0.1, 1, 1), _Cost(48 * S, 2.0, 2, 2), 0.5, 480 * S)
    assert span.seconds == pytest.approx(20)
    assert span.most_s == pytest.approx(30)


def test_a_short_scenario_is_forecast_from_itself(tiny: Scenario) -> None:
    cost, scene, positions = forecast(tiny, 1)
    assert cost.rows > 100
    assert cost.disk_bytes > 10_000
    assert cost.messages > 0
    assert 0 < cost.least_s < cost.seconds < cost.most_s < cost.sample_s * 2
    assert list(positions) == ["isp", "nodes", "both"]
    assert len(scene.client_endpoints) == 4


@pytest.mark.parametrize("name", ["v2/first-v2", "v2/device-group", "everyday", "attacks/one-position"])
def test_a_sample_of_a_second_is_enough_for_every_metric(name: str) -> None:
    few = ("network.limit_swarms=30", "run.duration=10 s", "run.warmup=0 s", "run.drain=0 s")
    scenario = resolve(read_scenario(SCENARIOS / f"{name}.toml", few), installed())
    cost = forecast(scenario, 1)[0]
    assert 0 < cost.least_s <= cost.seconds <= cost.most_s
