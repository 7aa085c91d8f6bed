"""Pydantic models made from settings dataclasses: one key per setting, unknown keys forbidden.

A key is the field's name without its unit (`timeout_us` is written `timeout = "10 s"`): the unit stands
in the text. Field names inside a model are `f_<key>` with the key as alias, because a key may be called
like a method of pydantic.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import SettingFacts, facts_of
from sessionsim.core.units import Unit, allowed_units, format_quantity, parse_quantity, quantity_pattern

_CONFIG: Final = ConfigDict(extra="forbid", frozen=True, strict=True)
_JSON_TYPES: Final[dict[Any, str]] = {int: "integer", float: "number", str: "string", bool: "boolean"}


def keys_of(config: type[Any]) -> dict[str, str]:
    """Give the scenario key of each settings field: its name without the unit, unless two would be alike."""
    short = {
        field: field.removesuffix(f"_{facts.unit}") if facts.unit else field
        for field, facts in facts_of(config).items()
    }
    often = Counter(short.values())
    return {field: key if often[key] == 1 else field for field, key in short.items()}


def show(value: Any, unit: Unit | None) -> Any:
    """Write an internal value the way a scenario has it."""
    if unit and isinstance(value, int | float):
        return format_quantity(value, unit)
    return list(value) if isinstance(value, tuple) else value


def refuse(found: object, allowed: str, hint: str = "") -> PydanticCustomError:
    """Make the error that `problems` turns into an InvalidInput with its place."""
    return PydanticCustomError("setting", "not allowed", {"found": found, "allowed": allowed, "hint": hint})


def _span(facts: SettingFacts) -> str:
    low = None if facts.low is None else show(_whole(facts.low), facts.unit)
    high = None if facts.high is None else show(_whole(facts.high), facts.unit)
    bounds = ((low, f"{low} or more"), (high, f"{high} or less"))
    return (
        f"{low} to {high}" if None not in (low, high) else next((t for b, t in bounds if b is not None), "")
    )


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def allowed_words(facts: SettingFacts) -> str:
    """Say in words what a setting accepts."""
    parts = [allowed_units(facts.unit)] if facts.unit else []
    parts += [_span(facts)] if _span(facts) else []
    parts += [", ".join(facts.choices)] if facts.choices else []
    return "; ".join(parts)


def _checker(facts: SettingFacts) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if facts.choices and value not in facts.choices:
            near = difflib.get_close_matches(str(value), facts.choices, 1)
            raise refuse(value, ", ".join(facts.choices), f"Did you mean {near[0]!r}?" if near else "")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not (value == value and _within(value, facts)):
            raise refuse(show(value, facts.unit), _span(facts) or "a number")
        return value

    return check


def _within(value: float, facts: SettingFacts) -> bool:
    return (facts.low is None or value >= facts.low) and (facts.high is None or value <= facts.high)


def _quantity(unit: Unit) -> Callable[[Any], int | float]:
    def parse(text: Any) -> int | float:
        try:
            return parse_quantity(text, unit)
        except InvalidInput as wrong:
            raise refuse(wrong.found, wrong.allowed, wrong.hint) from wrong

    return parse


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _key_schema(hint: Any, facts: SettingFacts) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": facts.doc, "source": facts.source}
    if facts.unit:
        schema |= {"type": "string", "unit": facts.unit, "allowed": allowed_units(facts.unit)}
        schema |= {"pattern": quantity_pattern(facts.unit)}
        schema |= {"range": _span(facts)} if _span(facts) else {}
    elif typing.get_origin(hint) is tuple:
        item = _JSON_TYPES.get(typing.get_args(hint)[0], "string")
        schema |= {"type": "array", "items": {"type": item}}
    else:
        schema |= {"type": _JSON_TYPES.get(hint, "string")}
        schema |= {"minimum": facts.low} if facts.low is not None else {}
        schema |= {"maximum": facts.high} if facts.high is not None else {}
    schema |= {"enum": list(facts.choices)} if facts.choices else {}
    return schema


def settings_model(
    name: str, config: type[Any], defaults: Any = None, more: Mapping[str, tuple[Any, Any]] | None = None
) -> type[BaseModel]:
    """Make the model of one section.

    Args:
        name: title of the model in the schema.
        config: the settings dataclass.
        defaults: an instance whose values replace the defaults of the class; None keeps those.
        more: further pydantic fields, already in the form (annotation, Field).
    """
    hints = typing.get_type_hints(config)
    preset = {field.name: field.default for field in dataclasses.fields(config)}
    keys = keys_of(config)
    fields: dict[str, tuple[Any, Any]] = {}
    for field, facts in facts_of(config).items():
        default = preset[field] if defaults is None else getattr(defaults, field)
        hint, key = hints[field], keys[field]
        start = PlainValidator(_quantity(facts.unit)) if facts.unit else None
        kind: Any = Annotated[Any, start] if start else hint
        if typing.get_origin(hint) is tuple:
            kind = Annotated[Any, PlainValidator(_tuple_of(typing.get_args(hint)[0]))]
        annotation = Annotated[
            kind, AfterValidator(_checker(facts)), WithJsonSchema(_key_schema(hint, facts))
        ]
        if default is dataclasses.MISSING:
            fields[f"f_{key}"] = (annotation, Field(alias=key))
        else:
            shown = {"default": show(default, facts.unit)}
            fields[f"f_{key}"] = (annotation, Field(default, alias=key, json_schema_extra=shown))
    return create_model(name, __config__=_CONFIG, **(fields | dict(more or {})))  # type: ignore[call-overload, no-any-return]


def _tuple_of(item: Any) -> Callable[[Any], tuple[Any, ...]]:
    words = {int: "whole numbers", str: "texts in quotes", float: "numbers"}

    def parse(value: Any) -> tuple[Any, ...]:
        listed = _listed(value)
        fits = isinstance(listed, tuple) and all(
            type(x) is item or (item is float and type(x) is int) for x in listed
        )
        if not fits:
            raise refuse(value, f"a list of {words.get(item, 'values')}")
        return tuple(listed)

    return parse


def settings_from(model: BaseModel, config: type[Any]) -> Any:
    """Make the settings dataclass from its validated section. Raises what the dataclass itself checks."""
    values = {field: getattr(model, f"f_{key}") for field, key in keys_of(config).items()}
    return config(**values)


def optional_section(model: type[BaseModel], key: str) -> tuple[Any, Any]:
    """Make the field of a section that may be left out and then has its defaults."""
    return (model, Field(default_factory=model, alias=key))


def tagged_union(models: Mapping[str, type[BaseModel]], tag: str) -> Any:
    """Join models that a `tag` key tells apart, for example patterns by `pattern`."""
    members = tuple(models.values())
    if len(members) == 1:
        return members[0]
    return Annotated[typing.Union[members], Field(discriminator=f"f_{tag}")]  # noqa: UP007 (built at run time)


def tag_field(tag: str, value: str) -> dict[str, tuple[Any, Any]]:
    """Make the field that holds the tag of one member of a `tagged_union`."""
    return {f"f_{tag}": (Literal[value], Field(alias=tag))}
