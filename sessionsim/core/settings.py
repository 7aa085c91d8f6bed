"""Settings: the numbers a scenario may change, each with unit, default, bounds, meaning and source.

A room or a drop-in declares them as fields of a frozen dataclass:

    @dataclass(frozen=True, slots=True)
    class Retry:
        timeout_us: int = setting(10 * US_PER_S, unit="us", doc="...", source="client-behaviour 6.3", low=0)

`scenario` turns such classes into validated sections of a file, help texts list them, and the report
prints every one that was used, those whose source says *Assumption* first.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sessionsim.core.units import Unit


@dataclass(frozen=True, slots=True)
class SettingFacts:
    """What is known about one setting beside its value.

    Args:
        doc: one sentence for people: what it does.
        source: where the default comes from, or a text starting with "Assumption".
        unit: how people write it; None for plain numbers, words and switches.
        low, high: inclusive bounds in internal units; None for no bound.
        choices: the allowed words; empty for no restriction.
        path: the text names a file, looked up in the folder of the scenario and nowhere else.
    """

    doc: str
    source: str
    unit: Unit | None = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    path: bool = False

    @property
    def is_assumption(self) -> bool:
        return self.source.startswith("Assumption")


def setting(
    default: Any,
    *,
    doc: str,
    source: str,
    unit: Unit | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    path: bool = False,
) -> Any:
    """Declare one setting of a config dataclass. `default`: `dataclasses.MISSING` for a required key."""
    return dataclasses.field(
        default=default, metadata={"facts": SettingFacts(doc, source, unit, low, high, choices, path)}
    )


def facts_of(config: type[Any]) -> dict[str, SettingFacts]:
    """List the settings of a config dataclass by field name, in the order they are declared."""
    return {f.name: f.metadata["facts"] for f in dataclasses.fields(config) if "facts" in f.metadata}
