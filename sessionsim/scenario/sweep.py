"""One question at several values: the `[sweep]` section of a scenario.

A sweep names keys and values; each value is set at all of the keys, as `--set` would, and makes a scenario of
its own with all seeds (`points`). Without these values the scenario is a plain one, so everything that takes
a scenario takes one with a sweep too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from sessionsim.scenario.models import refuse

MOST_VALUES: Final = 50  # Assumption: more points of one curve are a mistake
SECTION: Final = "sweep"
_KEY: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+\Z", re.ASCII)
KEY_RULE: Final = "a key with its section, for example network.membership.leaves"
# Metric and name of the readings that a sweep follows if it does not say which.
FOLLOWED: Final = (
    "delivery: delivered",
    "latency: intent to stored, mean",
    "latency: end to end, p50",
    "latency: end to end, mean",
)

Value = str | int | float | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is swept. Args: keys: dotted; values: as written; show: readings to follow, `metric: name`."""

    keys: tuple[str, ...]
    values: tuple[Value, ...]
    show: tuple[str, ...] = FOLLOWED


def _key(value: str) -> str:
    if not _KEY.match(value) or value.partition(".")[0] in (SECTION, "extends"):
        raise refuse(value, KEY_RULE)
    return value


def _different(values: list[Any]) -> list[Any]:
    texts = [label_of(value) for value in values]
    twice = next((text for text in texts if texts.count(text) > 1), None)
    if twice is not None:
        raise refuse(twice, "each value once")
    return values


def _shown(value: str) -> str:
    if ": " not in value:
        raise refuse(value, 'a reading as "metric: name", for example "delivery: delivered"')
    return value


def sweep_model() -> type[BaseModel]:
    """Make the model that checks the section."""
    text = Annotated[str, Field(min_length=1, max_length=200)]
    value = text | int | float | bool | Annotated[list[text], Field(max_length=20)]
    return create_model(
        "Sweep",
        __config__=ConfigDict(extra="forbid", frozen=True, strict=True),
        f_keys=(
            Annotated[list[Annotated[str, AfterValidator(_key)]], Field(min_length=1, max_length=20)],
            Field(alias="keys", description="Keys that all get the same value, with their sections."),
        ),
        f_values=(
            Annotated[list[value], Field(min_length=1, max_length=MOST_VALUES), AfterValidator(_different)],
            Field(alias="values", description="The values, each run with all seeds."),
        ),
        f_show=(
            Annotated[list[Annotated[str, AfterValidator(_shown)]], Field(min_length=1, max_length=20)],
            Field(
                list(FOLLOWED), alias="show",
                description="Readings followed over the values, each as `metric: name`.",
            ),
        ),
    )  # fmt: skip


def sweep_of(checked: Any) -> Sweep | None:
    """Give what a checked scenario sweeps; None if nothing."""
    section = checked.f_sweep
    if section is None:
        return None
    values = tuple(tuple(one) if isinstance(one, list) else one for one in section.f_values)
    return Sweep(tuple(section.f_keys), values, tuple(section.f_show))


def label_of(value: Value | list[str]) -> str:
    """Write a value for people; a list with nothing in it is none."""
    if isinstance(value, list | tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
