"""Whole runs in which things fail and nodes come and go: stored, read again, and the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import ABSENT, UNASSIGNED
from sessionsim.core.storage import read_table
from sessionsim.experiment import installed, preflight, run_scenario
from sessionsim.experiment.stage import spec_of, tasks_of
from sessionsim.experiment.stored import load_replicate, write_scene
from sessionsim.network.world import build
from sessionsim.scenario import Scenario, read_scenario, resolve

LIVELY = """\
title = "Lively"
question = "What becomes of messages?"
[run]
seeds = "1..3"
warmup = "10 s"
duration = "3 min"
drain = "20 s"
[network]
limit_swarms = 8
[network.membership]
mode = "rates"
joins = "100 %"
leaves = "100 %"
outages = "100 %"
block = "20 s"
[network.obligations]
unreachable = "10 s"
[clients]
desktop = 2
android = 2
ios = 2
[workload]
pattern = "active-pairs"
pace = 30
[vantages.isp]
kind = "provider"
fraction = "50 %"
[faults.crash]
kind = "crash"
by = "per-swarm"
count = 1
at = "20 s"
lasts = "40 s"
[faults.loss]
kind = "loss"
by = "all"
lost = "2 %"
"""


def lively(folder: Path, *overrides: str) -> Scenario:
    path = folder / "lively.toml"
    path.write_text(LIVELY)
    return resolve(read_scenario(path, overrides), installed())


def test_a_lively_run_is_stored_and_read_and_the_same_with_two_workers(tmp_path: Path) -> None:
    scenario = lively(tmp_path)
    preflight(scenario)
    run_scenario(scenario, tmp_path / "one", 1)
    run_scenario(scenario, tmp_path / "two", 2)
    texts = [(tmp_path / name / "readings.json").read_text() for name in ("one", "two")]
    assert texts[0] == texts[1]
    assert len(load_replicate(tmp_path / "one" / "1").nodes.active) == 40
    found = {(one["metric"], one["name"]): one for one in json.loads(texts[0])["readings"]}
    assert found["delivery", "delivered"]["value"] > 0.5
    assert found["node-churn", "nodes of 100 that ceased to serve, a day"]["value"] > 0


def test_nodes_that_come_later_are_stored_without_a_swarm(tmp_path: Path) -> None:
    replay = ("network.date=2026-04-08", "network.limit_swarms=40", "network.membership.mode=replay")
    scenario = lively(tmp_path, *replay)
    world = build(spec_of(scenario, tasks_of(scenario)[0]))
    later = [node for node, swarm in enumerate(world.nodes.swarm) if swarm == ABSENT]
    assert later
    write_scene(tmp_path, world.scene, world.endpoints, {})
    stored = read_table(tmp_path / "scene/nodes.parquet")["swarm"].tolist()
    assert [node for node, swarm in enumerate(stored) if swarm == UNASSIGNED] == later
    assert [swarm for swarm in stored if swarm != UNASSIGNED] == list(world.nodes.swarm)[: later[0]]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("faults.crash.country=DE", "faults"),
        ("faults.crash.by=server", "servers"),
        ("network.membership.mode=fast", "rates"),
        ("network.membership.joins=2 s", "%"),
        ("network.swarms.new_size=3", "minimum"),
    ],
)
def test_what_does_not_fit_is_told_before_the_run(tmp_path: Path, override: str, told: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        preflight(lively(tmp_path, override))
    assert told in str(wrong.value)
