from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from sessionsim.core.errors import StorageDamaged
from sessionsim.core.readings import Reading
from sessionsim.core.storage import read_table
from sessionsim.experiment.readings_file import read_readings, stable, write_reading_table, write_readings

MEAN = Reading(
    metric="latency", name="mean", unit="us", value=0.1 + 0.2, low=0.1, high=0.5,
    interval="95 % t over seeds",
    n=3, n_unit="seed", baseline=0.25, baseline_name="empty network", needed=None, counts={"b": 2, "a": 1.5},
)  # fmt: skip
TOO_FEW = replace(MEAN, name="p99", value=None, low=None, high=None, baseline=None, needed=1000, counts={})
READINGS = [MEAN, TOO_FEW]


def test_readings_come_back_and_have_no_dates(tmp_path: Path) -> None:
    path = write_readings(tmp_path, {"scenario": "x"}, READINGS)
    stored = json.loads(path.read_text())
    assert list(stored["readings"][0]["counts"]) == ["a", "b"]
    back = read_readings(tmp_path)
    assert back[1] == READINGS[1]
    assert back[0] == replace(READINGS[0], value=0.3)
    assert list(tmp_path.iterdir()) == [path]


def test_missing_numbers_are_nan_in_the_table(tmp_path: Path) -> None:
    write_reading_table(tmp_path / "r.parquet", READINGS)
    table = read_table(tmp_path / "r.parquet")
    assert table["value"][0] == 0.3
    assert math.isnan(table["value"][1])
    assert table["needed"][1] == 1000
    assert json.loads(str(table["counts"][0])) == {"a": 1.5, "b": 2}


def test_numbers_lose_only_digits_that_differ_between_processors() -> None:
    assert stable(0.1 + 0.2) == 0.3
    assert stable(12345678901234) == 12345678901234
    assert stable(None) is None
    assert stable(math.inf) is None


@pytest.mark.parametrize("text", ["", "{}", '{"readings": [{"metric": "x"}]}'])
def test_readings_that_are_not_whole_are_damaged(tmp_path: Path, text: str) -> None:
    with pytest.raises(StorageDamaged, match="missing"):
        read_readings(tmp_path)
    (tmp_path / "readings.json").write_text(text)
    with pytest.raises(StorageDamaged):
        read_readings(tmp_path)
