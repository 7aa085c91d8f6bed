"""The scenarios that a sweep stands for, one for each value."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario.catalogue import Catalogue
from sessionsim.scenario.reading import Origins, RawScenario, with_values
from sessionsim.scenario.resolved import Scenario, resolve
from sessionsim.scenario.sweep import KEY_RULE, SECTION, Sweep, label_of


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a sweep. Args: label: the value as it reads; scenario: with it, without a sweep."""

    label: str
    scenario: Scenario


def points_of(raw: RawScenario, sweep: Sweep, catalogue: Catalogue) -> tuple[Point, ...]:
    """Give the scenario of each value, in the order of the sweep.

    Raises:
        InvalidInput: a key that leads through something that is no section, or a scenario that is wrong with
            one of the values.
    """
    plain = {name: table for name, table in raw.values.items() if name != SECTION}
    place = raw.origins.of((SECTION, "values")).partition(" ")[0]
    found = []
    for value in sweep.values:
        written = list(value) if isinstance(value, tuple) else value
        changes = {tuple(key.split(".")): written for key in sweep.keys}
        try:
            values = with_values(plain, changes)
        except KeyError as wrong:
            raise InvalidInput(raw.origins.of((SECTION, "keys")), wrong.args[0], KEY_RULE) from wrong
        places = {**raw.origins.places, **dict.fromkeys(changes, place)}
        one = RawScenario(raw.name, raw.folder, values, Origins(raw.origins.file, places))
        found.append(Point(label_of(value), resolve(one, catalogue)))
    return tuple(found)
