"""Sections of version 2 that contradict themselves or each other, and what results say that rest on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import facts_of
from sessionsim.core.units import parse_quantity
from sessionsim.experiment.catalogue import installed
from sessionsim.experiment.manifest import common_facts
from sessionsim.experiment.sweep import run_sweep
from sessionsim.experiment.version2_facts import version2_facts
from sessionsim.protocol.v2 import HOLES, SWEEPS, V2Rules
from sessionsim.report import write_sweep
from sessionsim.scenario import Point, Scenario, read_scenario, resolve
from sessionsim.scenario.models import keys_of
from sessionsim.scenario.sweep import Sweep

TEXT = """
title = "Two versions"
question = "What does the next one cost?"

[run]
seeds = "1"
warmup = "1 s"
duration = "5 s"
drain = "1 s"

[network]
limit_swarms = 3

[clients]
desktop = 4

[workload]
pattern = "active-pairs"

[v2]
keys_fresh = "24 h"

[v2.people]
population = "drawn"
"""
FRESH_LINE = TEXT[: TEXT.index("keys_fresh")].count("\n") + 1


def load(folder: Path, *overrides: str, text: str = TEXT) -> Scenario:
    path = folder / "two.toml"
    path.write_text(text)
    return resolve(read_scenario(path, overrides), installed())


@pytest.mark.parametrize(
    ("overrides", "place", "told"),
    [
        (["v2.keys_fresh=49 h"], "v2.keys_usable", "at least keys_fresh, 176400 s"),
        (["v2.keys_usable=23 h"], "v2.keys_usable", "at least keys_fresh, 86400 s"),
        (["v2.fetch_timeout=9 s"], "v2.fetch_timeout", "at least fetch_request_timeout, 10 s"),
        (["v2.account_key_window=24 h"], "v2.account_key_window", "less than twice account_key_period"),
        (["v2.device_key_period=11 h"], "v2.device_key_jitter", "at most device_key_period, 39600 s"),
        (["v2.keys_fresh=-1 s"], "v2.keys_fresh", "0 s"),
        (["v2.adoption=101 %"], "v2.adoption", "100 %"),
        (["v2.adoption=40 %", "v2.people.population=twins"], "v2.adoption", "twins"),
        (["v2.account_key_period=10 min", "v2.account_key_window=2 min"],
         "v2.account_key_retention", "at most 600 keys"),
        (["v2.people.population=twins", "clients.ios=3"], "clients", "an odd number of ios clients"),
    ],
)  # fmt: skip
def test_contradictions_are_told_with_their_place(
    tmp_path: Path, overrides: list[str], place: str, told: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        load(tmp_path, *overrides)
    assert place in wrong.value.place
    assert told in str(wrong.value)


def test_a_contradiction_in_a_file_has_its_line(tmp_path: Path) -> None:
    text = TEXT.replace('keys_fresh = "24 h"', 'keys_usable = "5 h"')
    with pytest.raises(InvalidInput) as wrong:
        load(tmp_path, text=text)
    assert f"two.toml:{FRESH_LINE} v2.keys_usable" in wrong.value.place


@pytest.mark.parametrize(
    "overrides",
    [
        ["v2.device_key_period=12 h"],  # the shortest of the sweep, with the default spread
        ["v2.device_key_rotation=never", "v2.device_key_period=1 h"],
        ["v2.keys_fresh=48 h"],
        ["v2.people.population=twins"],
        ["v2.adoption=100 %", "v2.people.population=twins"],
        ["v2.adoption=40 %"],
        ["v2.account_key_period=10 min", "v2.account_key_window=2 min", "v2.people.group_age=0 s"],
    ],
)
def test_what_does_not_contradict_itself_is_taken(tmp_path: Path, overrides: list[str]) -> None:
    assert load(tmp_path, *overrides).sections["v2"] is not None


def test_assumptions_have_the_values_in_force(tmp_path: Path) -> None:
    facts = version2_facts(load(tmp_path, "v2.key_wait=3 s", "v2.device_key_rotation=never"))["version2"]
    assert facts["label"] == "V2 as publicly specified"
    assert facts["assumptions"].keys() == HOLES.keys()
    values = {line["setting"]: line["value"] for lines in facts["assumptions"].values() for line in lines}
    assert values["v2.key_wait"] == "3 s"
    assert values["v2.device_key_rotation"] == "never"
    assert values["v2.adoption"] == "100 %"
    assert len(values) == sum(len(names) for names in HOLES.values())
    for hole, lines in facts["assumptions"].items():
        assert all(line["meaning"].startswith(f"{hole}: ") for line in lines)
        assert all(line["source"].startswith("Assumption") for line in lines)


def test_every_value_to_sweep_is_taken_and_listed(tmp_path: Path) -> None:
    keys = keys_of(V2Rules)
    for place in range(max(map(len, SWEEPS.values()))):
        chosen = {name: values[place % len(values)] for name, values in SWEEPS.items() if values}
        scenario = load(tmp_path, *(f"v2.{keys[name]}={value}" for name, value in chosen.items()))
        assumptions = version2_facts(scenario)["version2"]["assumptions"]
        lines = {line["setting"]: line for lines in assumptions.values() for line in lines}
        for name, values in SWEEPS.items():
            line = lines[f"v2.{keys[name]}"]
            assert line["sweep"] == list(values)
            if name in chosen:
                assert parsed(name, str(line["value"])) == parsed(name, chosen[name])


def parsed(name: str, value: str) -> object:
    unit = facts_of(V2Rules)[name].unit
    return parse_quantity(value, unit) if unit else value


def test_without_version_2_nothing_is_said_of_it(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("[v2]")]
    assert version2_facts(load(tmp_path, text=text)) == {}
    assert "version2" not in common_facts(load(tmp_path, text=text))


def test_readings_and_manifests_say_on_what_they_rest(tmp_path: Path) -> None:
    scenario = load(tmp_path, "v2.tombstones=all")
    sweep = Sweep(("v2.tombstones",), ("all",), ("account-keys: undecryptable",))
    (finished,) = run_sweep(sweep, (Point("all", scenario),), tmp_path / "out")
    out = finished.folder
    swept = json.loads((tmp_path / "out/sweep.json").read_text())
    assert swept["label"] == "V2 as publicly specified"
    assert swept["points"][0]["version2"]["assumptions"]["H7"][0]["value"] == "all"
    assert "V2 as publicly specified" in write_sweep(tmp_path / "out").read_text()
    for name in ("readings.json", "manifest.json", "1/manifest.json"):
        facts = json.loads((out / name).read_text())["version2"]
        assert facts["label"] == "V2 as publicly specified"
        (line,) = facts["assumptions"]["H7"]
        assert (line["setting"], line["value"]) == ("v2.tombstones", "all")
