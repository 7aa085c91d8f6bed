"""Every drop-in of every family keeps the same promises, from the day it appears."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import typing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import KINDS, kinds_of
from sessionsim.core.nodelist import NodeList
from sessionsim.core.people import People
from sessionsim.core.registry import Entry
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import SettingFacts, facts_of
from sessionsim.core.units import US_PER_H
from sessionsim.experiment import families, installed
from sessionsim.scenario.models import keys_of

FAMILIES = families()
ENTRIES = [(family, entry) for family, registry in FAMILIES.items() for entry in registry]
CATALOGUE = installed()
CONFIGS: list[tuple[str, type[Any]]] = [
    *((f"{family} {entry.id}", entry.config) for family, entry in ENTRIES),
    *CATALOGUE.sections.items(),
    *((f"platform {name}", type(rules)) for name, rules in CATALOGUE.platforms.items()),
]
by_name = pytest.mark.parametrize(("family", "entry"), ENTRIES, ids=[f"{f}:{e.id}" for f, e in ENTRIES])
by_config = pytest.mark.parametrize(("name", "config"), CONFIGS, ids=[name for name, _ in CONFIGS])


@by_name
def test_an_id_is_the_name_of_its_file(family: str, entry: Entry[Any]) -> None:
    assert Path(inspect.getfile(entry.factory)).stem.replace("_", "-") == entry.id


@by_name
def test_source_and_summary_are_there(family: str, entry: Entry[Any]) -> None:
    assert len(entry.source) > 5
    assert entry.summary.endswith(".")
    assert len(entry.summary) < 120


def test_every_file_of_a_family_is_a_drop_in() -> None:
    for registry in FAMILIES.values():
        folder = Path(inspect.getfile(next(iter(registry)).factory)).parent
        files = {path.stem.replace("_", "-") for path in folder.glob("*.py") if not path.name.startswith("_")}
        assert files == {entry.id for entry in registry}


@by_config
def test_a_config_is_a_frozen_dataclass_of_documented_settings(name: str, config: type[Any]) -> None:
    assert dataclasses.is_dataclass(config)
    assert config.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(config, "__slots__")
    facts = facts_of(config)
    assert list(facts) == [field.name for field in dataclasses.fields(config)]
    for field, known in facts.items():
        assert len(known.doc) > 10, field
        assert known.doc[0].isupper() or known.doc.startswith("max_size"), field
        assert len(known.source) > 3, field
        assert known.source.startswith("Assumption") or not known.source.lower().startswith("assum"), field


@by_config
def test_defaults_lie_within_their_own_bounds(name: str, config: type[Any]) -> None:
    for field, known in facts_of(config).items():
        preset = next(f.default for f in dataclasses.fields(config) if f.name == field)
        if preset is not dataclasses.MISSING:
            assert within(preset, known), field


@pytest.mark.parametrize("platform", sorted(CATALOGUE.platforms))
def test_rules_of_a_platform_lie_within_their_bounds(platform: str) -> None:
    rules = CATALOGUE.platforms[platform]
    for field, known in facts_of(type(rules)).items():
        assert within(getattr(rules, field), known), field


def within(value: Any, known: SettingFacts) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (known.low is None or value >= known.low) and (known.high is None or value <= known.high)
    return not known.choices or value in known.choices


@by_config
def test_keys_are_unique_and_of_kinds_a_scenario_can_write(name: str, config: type[Any]) -> None:
    hints, keys = typing.get_type_hints(config), keys_of(config)
    assert len(set(keys.values())) == len(keys)
    assert not set(keys.values()) & {"pattern", "kind"}
    for field, known in facts_of(config).items():
        kind = hints[field]
        assert kind in (int, float, str, bool) or typing.get_origin(kind) is tuple, field
        if known.unit:
            assert kind is (float if known.unit == "prob" else int), field


def made(entry: Entry[Any]) -> Any:
    """Build a drop-in from its defaults; skips one whose required keys have no default."""
    try:
        return entry.factory(entry.config())
    except (TypeError, InvalidInput):
        pytest.skip(f"{entry.id} needs keys that have no default")


PATTERNS = list(FAMILIES["patterns"])
VANTAGES = list(FAMILIES["vantages"])


@pytest.mark.parametrize("entry", PATTERNS, ids=lambda entry: entry.id)
def test_a_pattern_gives_the_same_wishes_for_the_same_seed(entry: Entry[Any]) -> None:
    horizon, people = 24 * US_PER_H, People(("android", "desktop", "ios") * 4, ("DE", "US") * 6)
    first, second, other = (made(entry).intents(people, horizon, Seeds(seed)) for seed in (3, 3, 4))
    assert first == second
    assert first != other
    assert [wish.t_us for wish in first] == sorted(wish.t_us for wish in first)
    assert len({wish.address for wish in first}) == len(first)
    assert kinds_of(first) <= made(entry).kinds() <= set(KINDS)
    for wish in first:
        assert 0 <= wish.t_us < horizon
        assert wish.sender in range(12)
        recipient = getattr(wish, "recipient", None)
        assert recipient is None or recipient in set(range(12)) - {wish.sender}
        assert getattr(wish, "body", "text") or wish.files


@pytest.mark.parametrize("entry", PATTERNS, ids=lambda entry: entry.id)
def test_a_pattern_without_people_gives_nothing(entry: Entry[Any]) -> None:
    assert list(made(entry).intents(People((), ()), US_PER_H, Seeds(1))) == []


def scene(n_nodes: int = 40, n_clients: int = 6) -> Scene:
    """Lay out nodes in swarms of eight, four on each host, and clients of all platforms."""
    seeds = Seeds(1)
    nodes = NodeList(
        ed25519=tuple(seeds.key("ed", i) for i in range(n_nodes)),
        x25519=tuple(seeds.key("x", i) for i in range(n_nodes)),
        swarm=tuple(1 + i // 8 for i in range(n_nodes)),
        ip=tuple(0xF0000000 + (i // 4) * 256 for i in range(n_nodes)),
        port=tuple(22021 + i % 4 for i in range(n_nodes)),
    )
    countries, platforms = ("DE", "US", "FR"), ("android", "desktop", "ios")
    kinds = ("apple", "community", "file", "google", "huawei", "push", "seed", "turn")
    return Scene(
        nodes=nodes,
        node_country=tuple(countries[i % 3] for i in range(n_nodes)),
        client_endpoints=tuple(range(n_nodes, n_nodes + n_clients)),
        client_country=tuple(countries[i % 3] for i in range(n_clients)),
        client_platform=tuple(platforms[i % 3] for i in range(n_clients)),
        client_ids=tuple(b"\5" + seeds.key("account", i) for i in range(n_clients)),
        servers={kind: (n_nodes + n_clients + k,) for k, kind in enumerate(kinds)},
    )


@pytest.mark.parametrize("entry", VANTAGES, ids=lambda entry: entry.id)
def test_a_vantage_chooses_the_same_place_for_the_same_seed_within_the_scene(entry: Entry[Any]) -> None:
    stage = scene()
    before = copy.deepcopy(stage)
    first, second = (made(entry).choose(stage, Seeds(5)) for _ in range(2))
    assert first == second
    assert isinstance(first, Position)
    assert stage == before
    assert first.watched | first.known <= stage.endpoints
    assert {taking.endpoint for taking in first.taken} <= stage.endpoints


def test_a_configured_number_reaches_its_drop_in() -> None:
    """The settings of a vantage are not decoration: another share gives another place."""
    entry = FAMILIES["vantages"]["snodes"]
    sizes = [
        len(
            entry.factory(dataclasses.replace(entry.config(), fraction=share))
            .choose(scene(), Seeds(1))
            .operated
        )
        for share in np.linspace(0, 1, 5)
    ]
    assert sizes == [0, 10, 20, 30, 40]
