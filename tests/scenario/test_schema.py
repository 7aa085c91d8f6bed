from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Catalogue, json_schema, parse_seeds, to_toml


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


def test_schema_is_the_same_each_time(catalogue: Catalogue) -> None:
    assert json.dumps(json_schema(catalogue)) == json.dumps(json_schema(catalogue))


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
