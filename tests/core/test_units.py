from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.core.units import Unit, allowed_units, format_quantity, parse_quantity, quantity_pattern

UNITS: tuple[Unit, ...] = ("us", "bytes", "bit_per_s")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("5 s", "us", 5_000_000),
        ("0.1 s", "us", 100_000),
        ("250ms", "us", 250_000),
        ("3 µs", "us", 3),
        (" 2 d ", "us", 172_800_000_000),
        ("-1.5 min", "us", -90_000_000),
        ("76.8 kB", "bytes", 76_800),
        ("1 kiB", "bytes", 1024),
        ("10 %", "prob", 0.1),
        ("0.1 %", "prob", 0.001),
        ("20 Mbit/s", "bit_per_s", 20_000_000),
    ],
)
def test_quantities_are_read_exactly(text: str, unit: Unit, value: float) -> None:
    assert parse_quantity(text, unit) == value
    assert re.search(quantity_pattern(unit), text)


@pytest.mark.parametrize(
    "text", ["5", "s", "5 kB", "5 S", "1e3 s", "5 s s", "", "٥ s", 5, None, True, "0.1 us", "5\ns x"]
)
def test_what_is_no_time_is_refused_with_its_place(text: object) -> None:
    with pytest.raises(InvalidInput) as wrong:
        parse_quantity(text, "us", "here")
    assert wrong.value.place == "here"
    assert wrong.value.found == text
    if isinstance(text, str) and text != "0.1 us":  # what is finer than a whole number the pattern lets pass
        assert not re.search(quantity_pattern("us"), text)


@given(st.sampled_from(UNITS), st.integers(-(10**18), 10**18))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_what_is_written_is_read_as_the_same_number(unit: Unit, value: int) -> None:
    assert parse_quantity(format_quantity(value, unit), unit) == value


@given(st.floats(0, 1))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_shares_come_back_to_the_last_bit(value: float) -> None:
    assert parse_quantity(format_quantity(value, "prob"), "prob") == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "us", "0 s"), (1, "us", "1 us"), (1_500_000, "us", "1.5 s"), (90_000_000, "us", "1.5 min"),
        (5_000_000, "us", "5 s"), (0, "bytes", "0 B"), (76_800, "bytes", "76.8 kB"), (-500, "us", "-500 us"),
        (0.125, "prob", "12.5 %"), (1.0, "prob", "100 %"), (0, "prob", "0 %"),
    ],
)  # fmt: skip
def test_numbers_are_written_in_the_largest_short_unit(value: float, unit: Unit, text: str) -> None:
    assert format_quantity(value, unit) == text


def test_each_unit_names_its_spellings() -> None:
    assert "kiB" in allowed_units("bytes")
