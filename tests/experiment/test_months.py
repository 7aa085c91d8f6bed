"""Months of paths and campaigns in a run, and the readings made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.experiment import installed, load_replicate, run_scenario
from sessionsim.experiment.months import Months, life_of, network_of
from sessionsim.experiment.readings_file import read_readings
from sessionsim.metrics.closed_forms.coverage import any_bad
from sessionsim.network.population import LIVES, PathLife
from sessionsim.network.snapshots import load_snapshot
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.scenario import read_scenario, resolve
from tests.conftest import TINY

MONTHS = """
[months]
accounts = 400
days = 12
platforms = ["desktop", "ios"]
campaigns = 2
registrations = 12
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("months")
    (folder / "tiny.toml").write_text(TINY + MONTHS)
    run_scenario(resolve(read_scenario(folder / "tiny.toml"), installed()), folder / "out")
    return folder / "out"


def test_every_observer_with_nodes_has_first_times_per_platform(finished: Path) -> None:
    months = load_replicate(finished / "1").months
    groups = set(zip(months["observer"].tolist(), months["platform"].tolist(), strict=True))
    assert groups == {(who, what) for who in ("nodes", "both") for what in ("desktop", "ios")}
    assert len(months["guard_us"]) == 4 * 400
    together = months["guard_and_replica_us"] >= 0
    assert np.all(months["guard_us"][together] >= 0)
    assert np.all(months["guard_us"][together] <= months["guard_and_replica_us"][together])


def test_guards_that_stay_are_bad_as_often_as_the_closed_form_has_it(finished: Path) -> None:
    found = {one.name: one for one in read_readings(finished)}
    one = found["nodes: a bad guard, desktop: by 10 d"]
    assert one.value is not None
    assert one.value == found["nodes: a bad guard, desktop: by 1 d"].value
    expected = any_bad(int(one.counts["nodes"]), int(one.counts["bad nodes"]), 2)
    # Guards of one account may not share a /24, which the closed form does not know.
    assert abs(one.value - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 1200) + 0.03
    assert one.counts["stake SESH"] == one.counts["bad nodes"] * 25_000
    rotated = found["nodes: a bad guard, ios: by 10 d"].value
    assert rotated is not None
    assert rotated > one.value


def test_denial_leaves_a_larger_share_to_the_coalition(finished: Path) -> None:
    found = {one.name: one for one in read_readings(finished)}
    one = found["nodes, desktop: owned among working paths under selective denial"]
    assert one.value is not None
    assert one.baseline is not None
    assert one.counts["owned"] / one.counts["working"] == pytest.approx(one.value)
    assert one.value > 0.4**2
    assert one.counts["both ends if none is dropped"] == pytest.approx(0.4**2, rel=0.1)


def test_campaigns_are_counted_per_aim(finished: Path) -> None:
    found = {one.name: one for one in read_readings(finished)}
    one = found["a member after 10 registrations"]
    assert (one.n, one.n_unit, one.counts["stake SESH"]) == (6, "campaign", 250_000)
    # Ten swarms of the list, nearly all of five nodes: ten newcomers go to one each, but for the last few.
    assert one.baseline is not None
    assert one.baseline > 0.75 > one.counts["placed at random"]
    assert found["all members after 10 registrations"].value == 0


def test_readings_without_months_are_those_there_were(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    run_scenario(resolve(read_scenario(tmp_path / "tiny.toml"), installed()), tmp_path / "out")
    plain = {(one.metric, one.name): one for one in read_readings(tmp_path / "out")}
    months = {(one.metric, one.name): one for one in read_readings(finished)}
    assert plain == {key: months[key] for key in plain}
    assert not any(metric in ("time-to-compromise", "swarm-capture") for metric, _ in plain)


def test_the_list_can_be_regrouped_into_larger_swarms() -> None:
    snapshot = load_snapshot("2026-04-28", limit_swarms=20)
    real, seven = network_of(snapshot, 0), network_of(snapshot, 7)
    assert len(np.unique(real.swarm)) == 20
    sizes = np.bincount(seven.swarm)
    assert set(sizes[:-1].tolist()) == {7}
    assert 7 <= sizes[-1] < 14


def test_a_platform_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="android"):
        Months(platforms=("windows",))


def test_guards_and_paths_last_as_the_rules_of_the_scenario_say() -> None:
    for name, life in LIVES.items():
        assert life_of(name, PLATFORMS[name], 0.0) == life
    rules = replace(PLATFORMS["ios"], guard_age_us=5, rotation_us=7)
    assert life_of("ios", rules, 0.5) == PathLife(7, 5, 0.5)


def test_the_engine_follows_the_rules_of_the_scenario(finished: Path, tmp_path: Path) -> None:
    longer = TINY + MONTHS + "\n[platform.desktop]\npaths = 5\npath_hops = 2\n"
    (tmp_path / "tiny.toml").write_text(longer)
    run_scenario(resolve(read_scenario(tmp_path / "tiny.toml"), installed()), tmp_path / "out")
    more, few = (load_replicate(folder / "1").months for folder in (tmp_path / "out", finished))
    for months, desktop, ios in ((more, 5, 4), (few, 2, 4)):
        for name, guards in (("desktop", desktop), ("ios", ios)):
            assert set(months["guards"][months["platform"] == name].tolist()) == {guards}
