"""The JSON Schema of scenario files, made from the models, and resolved scenarios as TOML again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sessionsim.scenario.catalogue import Catalogue
from sessionsim.scenario.whole import whole_model


def json_schema(catalogue: Catalogue) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of scenarios: each key with description, unit, source and default."""
    schema = whole_model(catalogue).model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def to_toml(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Write nested values as TOML: plain keys first, then one table per mapping, in the order given."""
    plain = [f"{key} = {_value(value)}" for key, value in values.items() if not isinstance(value, Mapping)]
    header = [f"[{'.'.join(path)}]"] if path and plain else []
    tables = [to_toml(value, (*path, key)) for key, value in values.items() if isinstance(value, Mapping)]
    own = "\n".join(header + plain)
    return "\n\n".join(part for part in (own, *tables) if part)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    # JSON's texts, numbers and truth values are TOML's too, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
