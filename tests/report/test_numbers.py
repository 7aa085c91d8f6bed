"""Precision and units of numbers as people read them."""

from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.core.readings import Reading
from sessionsim.report._numbers import quantity, span, tick, too_few
from sessionsim.report._page import runs


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "us", "0 µs"),
        (640, "us", "640 µs"),
        (1_234, "us", "1.23 ms"),
        (612_332.65, "us", "612 ms"),
        (3_141_592, "us", "3.14 s"),
        (90_000_000, "us", "90.0 s"),
        (3_600_000_000, "us", "60.0 min"),
        (398, "bytes", "398 B"),
        (76_800, "bytes", "76.8 kB"),
        (220_123_456, "bytes", "220 MB"),
        (0.15, "prob", "15 %"),
        (0.0529, "prob", "5.3 %"),
        (0.98, "prob", "98.0 %"),
        (1.0, "prob", "100 %"),
        (0.99999, "prob", "> 99.9 %"),
        (0.00001, "prob", "< 0.1 %"),
        (1262, "count", "1,262"),
        (1.974, "count", "1.97"),
        (117.4, "count", "117"),
        (None, "us", "not enough data"),
    ],
)
def test_quantities(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_an_interval_has_the_unit_and_precision_of_its_value() -> None:
    assert span(940_000, 2_100_000, "us", 1_500_000) == "0.94 to 2.10 s"
    assert span(0.0, 0.161, "prob") == "0 to 16 %"
    assert span(None, None, "us") == ""


def test_axis_numbers_carry_no_empty_digits() -> None:
    assert [tick(at, "us") for at in (10_000, 200_000, 5_000_000)] == ["10 ms", "200 ms", "5 s"]
    assert tick(50e6, "bytes") == "50 MB"


def test_seeds_in_a_row_are_written_as_a_span() -> None:
    assert runs([1, 2, 3, 8, 101, 102]) == "1 to 3, 8, 101 to 102"


@pytest.mark.parametrize(
    ("facts", "needed"),
    [
        ({"low": 0.0, "high": 1.0}, 16),
        ({"low": 0.3, "high": 0.9}, 6),
        ({"low": 0.3, "high": 0.8}, None),
        ({"low": None, "high": None}, None),
    ],
)
def test_a_wide_interval_says_how_many_units_would_do(
    make_reading: Callable[..., Reading], facts: dict[str, Any], needed: int | None
) -> None:
    assert too_few(make_reading("m", "x", "prob", 0.5, n=4, **facts)) == needed


def test_only_shares_are_judged_by_their_width(make_reading: Callable[..., Reading]) -> None:
    assert too_few(make_reading("m", "x", "us", 5.0, low=0.0, high=100.0)) is None
