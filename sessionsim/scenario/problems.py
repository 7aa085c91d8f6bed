"""What pydantic found wrong, told to people: place, value found, what is allowed, nearest spelling."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario.reading import RawScenario

_KINDS: Final = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": 'a text in quotes, like "text"',
    "bool_type": "true or false",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
    "model_attributes_type": "a section with keys",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a shorter text",
}
_TAGS: Final = ("pattern", "kind")


def first_problem(raw: RawScenario, wrong: ValidationError, model: type[BaseModel]) -> InvalidInput:
    """Turn a validation error into one message about its first finding, in order of lines."""
    told = [_tell(raw, error, model) for error in wrong.errors(include_url=False)]
    # An unknown key explains a missing one beside it, so it goes first.
    told.sort(key=lambda pair: pair[0])
    problem = told[0][1]
    if len(told) > 1:
        more = f"{len(told) - 1} more to correct after this one."
        problem = InvalidInput(
            problem.place, problem.found, problem.allowed, f"{problem.hint} {more}".strip()
        )
    return problem


def _tell(raw: RawScenario, error: ErrorDetails, model: type[BaseModel]) -> tuple[int, InvalidInput]:
    path = real_path(raw.values, error["loc"])
    place, kind, ctx = raw.origins.of(path), error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        keys = known_keys(model, raw.values, path[:-1])
        near = difflib.get_close_matches(str(path[-1]), keys, 1, 0.5)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        return 0, InvalidInput(place, str(path[-1]), f"one of the keys {', '.join(keys)}", hint)
    if kind == "setting":
        return 1, InvalidInput(place, ctx["found"], ctx["allowed"], ctx["hint"])
    if kind in ("union_tag_invalid", "literal_error"):
        allowed = str(ctx.get("expected_tags") or ctx.get("expected"))
        tag = next((tag for tag in _TAGS if isinstance(error["input"], dict) and tag in error["input"]), "")
        found = error["input"][tag] if tag else error["input"]
        words = [word.strip("' ") for word in allowed.replace(" or ", ",").split(",")]
        near = difflib.get_close_matches(str(found), words, 1, 0.5)
        where = raw.origins.of((*path, tag)) if tag else place
        return 1, InvalidInput(
            where, found, f"one of {', '.join(words)}", f"Did you mean {near[0]!r}?" if near else ""
        )
    if kind == "union_tag_not_found":
        tag = next(tag for tag in _TAGS if tag in str(ctx.get("discriminator")))
        return 2, InvalidInput(
            raw.origins.of((*path, tag)), "nothing", f"a {tag!r} that says which one it is"
        )
    if kind == "missing":
        return 2, InvalidInput(place, "nothing", "a value: this key is required")
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"{ctx['ge']} or more" if "ge" in ctx else f"{ctx['le']} or less"
        return 1, InvalidInput(place, error["input"], bound)
    return 1, InvalidInput(place, error["input"], _KINDS.get(kind, error["msg"]))


def real_path(values: Any, loc: Sequence[object]) -> tuple[object, ...]:
    """Drop from a pydantic location what is no key of the file: tags of unions and the mark `[key]`."""
    path: list[object] = []
    for position, part in enumerate(loc):
        is_tag = isinstance(values, Mapping) and part in {values.get(tag) for tag in _TAGS}
        if part == "[key]" or (is_tag and part not in values and position < len(loc)):
            continue
        path.append(part)
        values = values.get(part) if isinstance(values, Mapping) else None
    return tuple(path)


def known_keys(model: type[BaseModel], values: Any, path: Sequence[object]) -> list[str]:
    """List the keys that the section at `path` accepts, in the order of the model."""
    found: Any = model
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
        found = _inside(found, str(part))
    members = [member for member in _models(found) if _has_tag(member, values)]
    return [str(field.alias) for field in members[0].model_fields.values()] if members else []


def _inside(annotation: Any, key: str) -> Any:
    for member in _models(annotation):
        for field in member.model_fields.values():
            if field.alias == key:
                return field.annotation
    args: tuple[Any, ...] = getattr(annotation, "__args__", ())
    return args[-1] if len(args) == 2 else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def _has_tag(model: type[BaseModel], values: Any) -> bool:
    for tag in _TAGS:
        field = model.model_fields.get(f"f_{tag}")
        if field is not None and isinstance(values, Mapping):
            return values.get(tag) in getattr(field.annotation, "__args__", ())
    return True
