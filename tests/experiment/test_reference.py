"""Recorded results: a scenario whose readings are kept in `results/reference` must still give them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from sessionsim.experiment import installed, run_scenario
from sessionsim.scenario import read_scenario, resolve

ROOT = Path(__file__).parents[2]
# Only scenarios that take seconds are run again here.
RECORDED = [ROOT / "results/reference/first-look-fast/readings.json"]


def differences(found: Any, recorded: Any, place: str = "") -> list[str]:
    """List where two JSON values differ; floats may differ by 1e-9 of their size between processors."""
    if isinstance(found, dict) and isinstance(recorded, dict):
        keys = sorted(found.keys() | recorded.keys())
        return [d for key in keys for d in differences(found.get(key), recorded.get(key), f"{place}.{key}")]
    if isinstance(found, list) and isinstance(recorded, list) and len(found) == len(recorded):
        pairs = enumerate(zip(found, recorded, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{place}[{i}]")]
    if isinstance(found, float | int) and isinstance(recorded, float | int):
        return (
            []
            if math.isclose(found, recorded, rel_tol=1e-9, abs_tol=1e-9)
            else [f"{place}: {found} != {recorded}"]
        )
    return [] if found == recorded else [f"{place}: {found!r} != {recorded!r}"]


@pytest.mark.parametrize(
    "recorded", [path for path in RECORDED if path.is_file()], ids=lambda path: path.parent.name
)
def test_a_shipped_scenario_gives_its_recorded_readings(recorded: Path, tmp_path: Path) -> None:
    scenario = resolve(read_scenario(ROOT / f"scenarios/{recorded.parent.name}.toml"), installed())
    run_scenario(scenario, tmp_path / "out", 1)
    found, expected = (json.loads(path.read_text()) for path in (tmp_path / "out/readings.json", recorded))
    found.pop("version"), expected.pop("version")
    assert differences(found, expected) == []


def test_differences_are_noticed_beyond_the_last_bits() -> None:
    assert differences({"a": [1.0, None]}, {"a": [1.0 + 1e-12, None]}) == []
    assert differences({"a": [1.0]}, {"a": [1.0 + 1e-6]})
    assert differences({"a": 1}, {"b": 1})
    assert differences([1], [1, 2])
    assert differences({"a": None}, {"a": 1.0})
