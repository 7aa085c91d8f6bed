"""Readings on disk: one Parquet table per replicate, one JSON file for all seeds together."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from sessionsim.core.errors import StorageDamaged
from sessionsim.core.readings import Reading
from sessionsim.core.storage import write_table

NAME: Final = "readings.json"
_NUMBERS: Final = ("value", "low", "high", "baseline", "needed")
_TEXTS: Final = ("metric", "name", "unit", "interval", "n_unit", "baseline_name")


def stable(number: float | None) -> float | None:
    """Round to 12 significant digits: what is left is the same on every processor. None for no number."""
    if number is None or not math.isfinite(number):
        return None
    return number if isinstance(number, int) else float(f"{number:.12g}")


def _plain(reading: Reading) -> dict[str, Any]:
    facts = asdict(reading)
    facts |= {name: stable(facts[name]) for name in _NUMBERS}
    facts["counts"] = {name: stable(facts["counts"][name]) for name in sorted(facts["counts"])}
    return facts


def write_reading_table(path: Path, readings: Sequence[Reading]) -> None:
    """Write readings as a table; a missing number is NaN, the counts are JSON text."""
    plain = [_plain(reading) for reading in readings]
    table: dict[str, Any] = {name: np.array([p[name] for p in plain], dtype=object) for name in _TEXTS}
    for name in _NUMBERS:
        table[name] = np.array([math.nan if p[name] is None else p[name] for p in plain], dtype=np.float64)
    table["n"] = np.array([p["n"] for p in plain], dtype=np.int64)
    table["counts"] = np.array([json.dumps(p["counts"], sort_keys=True) for p in plain], dtype=object)
    write_table(path, table)


def write_readings(folder: Path, facts: dict[str, Any], readings: Sequence[Reading]) -> Path:
    """Write `readings.json`: facts about the run (no dates), then the readings in the given order."""
    path = folder / NAME
    content = {**facts, "readings": [_plain(reading) for reading in readings]}
    temporary = folder / f".{NAME}.partial-{os.getpid()}"
    temporary.write_text(
        json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    temporary.replace(path)
    return path


def read_readings(folder: Path) -> list[Reading]:
    """Read back the readings of all seeds. Raises StorageDamaged if the file is missing or not whole."""
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [Reading(**facts) for facts in content["readings"]]
    except FileNotFoundError as missing:
        raise StorageDamaged(f"{path} is missing: not a finished run") from missing
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise StorageDamaged(f"{path} cannot be read") from broken
