"""The holes of the public design are settings, and say so."""

from __future__ import annotations

import dataclasses
import re

import pytest

from sessionsim.core.settings import facts_of
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_S, parse_quantity
from sessionsim.protocol.v2 import HOLES, LABEL, SWEEPS, V2Rules

FACTS = facts_of(V2Rules)


def test_there_are_eleven_holes_each_with_settings_that_name_it() -> None:
    assert list(HOLES) == [f"H{k}" for k in range(1, 12)]
    for hole, names in HOLES.items():
        for name in names:
            assert FACTS[name].doc.startswith(f"{hole}: "), name
            assert FACTS[name].is_assumption, name
            assert f"protocol-v2 11 {hole}" in FACTS[name].source, name


def test_every_setting_of_a_hole_ends_with_the_values_to_sweep() -> None:
    assert [*SWEEPS] == [name for names in HOLES.values() for name in names]
    for name, values in SWEEPS.items():
        found = re.search(r" Sweep: (.*)\.$", FACTS[name].doc)
        assert found, name
        assert tuple(found[1].split(", ")) == (values or ("none",)), name


def test_the_values_to_sweep_are_those_of_the_specification() -> None:
    """Source: protocol-v2 11, column "sweep"; "never" is a word of its own."""
    assert SWEEPS["device_key_rotation"][0] == "never"
    assert SWEEPS["device_key_period_us"] == ("30 d", "7 d", "24 h", "12 h")
    assert SWEEPS["device_key_retention_us"] == ("0 s", "48 h", "7 d", "30 d")
    assert SWEEPS["key_wait_us"] == ("0 s", "3 s", "10 s", "60 s")
    assert SWEEPS["adoption_prob"] == ("0 %", "10 %", "50 %", "90 %", "100 %")
    assert SWEEPS["own_copy"][1] == "v1"
    assert SWEEPS["foreign_record"][1] == "republish"
    assert SWEEPS["groups_and_configs"][1] == "device-group"
    assert [name for name, values in SWEEPS.items() if not values] == [
        "tombstones", "seed_overflow", "polls_own_namespaces",
    ]  # fmt: skip


def test_the_default_is_among_the_values_to_sweep() -> None:
    for name, values in SWEEPS.items():
        facts = FACTS[name]
        taken = [parse_quantity(value, facts.unit) if facts.unit else value for value in values]
        assert not values or getattr(V2Rules(), name) in taken, name


def test_no_other_setting_claims_a_hole_and_every_field_is_a_setting() -> None:
    holes = {name for names in HOLES.values() for name in names}
    assert {name for name, facts in FACTS.items() if facts.is_assumption} == holes
    assert set(FACTS) == {field.name for field in dataclasses.fields(V2Rules)}
    assert all(facts.source and facts.doc.endswith(".") for facts in FACTS.values())


def test_results_are_labelled() -> None:
    assert LABEL == "V2 as publicly specified"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device_key_period_us", 7 * US_PER_DAY),
        ("device_key_jitter_us", 12 * US_PER_H),
        ("device_key_retention_us", 48 * US_PER_H),
        ("key_wait_us", 10 * US_PER_S),
        ("account_key_period_us", 12 * US_PER_H),
        ("account_key_window_us", 2 * US_PER_H),
        ("account_key_retention_us", 16 * US_PER_DAY),
        ("keys_fresh_us", 24 * US_PER_H),
        ("keys_usable_us", 48 * US_PER_H),
        ("keys_refused_us", US_PER_H),
        ("record_ttl_us", 30 * US_PER_DAY),
        ("device_group_ttl_us", 30 * US_PER_DAY),
        ("link_request_ttl_us", 600 * US_PER_S),
    ],
)
def test_defaults_of_the_specification(name: str, value: int) -> None:
    assert getattr(V2Rules(), name) == value
