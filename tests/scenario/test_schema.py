from __future__ import annotations

import dataclasses
import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Catalogue, json_schema, parse_seeds, to_toml, whole
from tests.scenario.conftest import ActivePairs, Delay, FileRules, Rules


def test_schema_tells_unit_range_source_and_default(catalogue: Catalogue) -> None:
    schema = json_schema(catalogue)
    ios, desktop = (schema["$defs"][name]["properties"]["poll_interval"] for name in ("Ios", "Desktop"))
    assert (ios["default"], desktop["default"]) == ("1.5 s", "5 s")
    assert ios["unit"] == "us"
    assert ios["range"] == "10 ms or more"
    assert ios["source"] == "client-behaviour 6.1"
    assert ios["type"] == "string"
    assert schema["$defs"]["Clients"]["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema


def test_schema_is_the_same_each_time_it_is_made(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = json.dumps(json_schema(catalogue))
    monkeypatch.setattr(whole, "_made", {})
    assert json.dumps(json_schema(catalogue)) == first


def test_the_model_of_an_installation_is_made_once(catalogue: Catalogue) -> None:
    same = dataclasses.replace(catalogue, suites=tuple(list(catalogue.suites)))
    assert whole.whole_model(same) is whole.whole_model(catalogue)


@pytest.mark.parametrize(
    "changes",
    [
        {"suites": ("fast",)},
        {"dates": ("2026-04-28",)},
        {"platforms": {"desktop": Rules(growth=2.0)}},
        {"platforms": {"desktop": Rules()}},
        {"parts": {"files": {"desktop": FileRules(), "ios": FileRules(tries=2)}}},
        {"patterns": {"active-pairs": ActivePairs}},
        {"faults": {"crash": Delay, "delay": Delay}},
        {"attacks": {"crowd": Delay}},
    ],
    ids=str,
)
def test_another_installation_has_another_model(catalogue: Catalogue, changes: dict[str, Any]) -> None:
    before = json_schema(catalogue)
    other = dataclasses.replace(catalogue, **changes)
    assert json_schema(other) != before
    assert json_schema(catalogue) == before


def test_models_of_few_installations_are_kept(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_made", {})
    for day in range(10):
        whole.whole_model(dataclasses.replace(catalogue, dates=(f"2026-04-0{day}",)))
    assert len(whole._made) == whole._KEPT


KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
PLAIN = st.one_of(
    st.integers(-(2**60), 2**60), st.booleans(), st.text(st.characters(exclude_categories=["Cs"]))
)
TABLES = st.recursive(
    st.dictionaries(KEYS, PLAIN | st.lists(PLAIN, max_size=3), min_size=1, max_size=4),
    lambda inner: st.dictionaries(KEYS, PLAIN | inner, min_size=1, max_size=4),
    max_leaves=8,
)


@given(TABLES)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_toml_comes_back_as_it_went(values: dict[str, object]) -> None:
    assert tomllib.loads(to_toml(values)) == values


def test_seeds_are_numbers_and_spans() -> None:
    assert parse_seeds("7", "x") == (7,)
    assert parse_seeds("3..5, 1,4", "x") == (1, 3, 4, 5)
    for wrong in ("", "a", "5..3", "1..", "-1", "1...3", "0..100000", "１"):
        with pytest.raises(InvalidInput):
            parse_seeds(wrong, "x")
