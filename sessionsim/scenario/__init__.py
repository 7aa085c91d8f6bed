"""An experiment as validated data: scenario files, their models, their JSON Schema, their errors."""

from __future__ import annotations

from sessionsim.scenario.catalogue import Catalogue
from sessionsim.scenario.points import Point, points_of
from sessionsim.scenario.reading import Origins, RawScenario, read_scenario
from sessionsim.scenario.resolved import Attack, Scenario, Vantage, resolve
from sessionsim.scenario.schema import json_schema, to_toml
from sessionsim.scenario.sections import parse_seeds

__all__ = [
    "Attack",
    "Catalogue",
    "Origins",
    "Point",
    "RawScenario",
    "Scenario",
    "Vantage",
    "json_schema",
    "parse_seeds",
    "points_of",
    "read_scenario",
    "resolve",
    "to_toml",
]
