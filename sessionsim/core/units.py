"""Quantities with units, written by people and kept as plain numbers.

Inside the program times are integer microseconds, sizes integer bytes, probabilities floats in 0..1.
In scenario files each number carries its unit in the text: "5 s", "76.8 kB", "10 %".
The parser is exact (decimal, not binary): "0.1 s" is 100,000 µs.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from sessionsim.core.errors import InvalidInput

Unit = Literal["us", "bytes", "prob", "bit_per_s"]

US_PER_MS = 1_000
US_PER_S = 1_000_000
US_PER_MIN = 60 * US_PER_S
US_PER_H = 60 * US_PER_MIN
US_PER_DAY = 24 * US_PER_H

# Decimal prefixes, as network figures use them; kiB and MiB are spelled out where the source says so.
_FACTORS: dict[Unit, dict[str, Decimal]] = {
    "us": {
        "us": Decimal(1),
        "µs": Decimal(1),
        "ms": Decimal(US_PER_MS),
        "s": Decimal(US_PER_S),
        "min": Decimal(US_PER_MIN),
        "h": Decimal(US_PER_H),
        "d": Decimal(US_PER_DAY),
    },
    "bytes": {
        "B": Decimal(1),
        "kB": Decimal(1_000),
        "MB": Decimal(1_000_000),
        "GB": Decimal(1_000_000_000),
        "kiB": Decimal(1024),
        "MiB": Decimal(1024**2),
        "GiB": Decimal(1024**3),
    },
    "prob": {"%": Decimal("0.01")},
    "bit_per_s": {
        "bit/s": Decimal(1),
        "kbit/s": Decimal(1_000),
        "Mbit/s": Decimal(1_000_000),
        "Gbit/s": Decimal(1_000_000_000),
    },
}
_NOT_WRITTEN = ("µs", "kiB", "MiB", "GiB")  # read, but another spelling is preferred
_EXAMPLES: dict[Unit, str] = {"us": "5 s", "bytes": "76.8 kB", "prob": "10 %", "bit_per_s": "20 Mbit/s"}
_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([^\s\d.]\S*)\s*\Z", re.ASCII)


def allowed_units(unit: Unit) -> str:
    """Name the accepted spellings of a unit, for messages and help texts."""
    return "a number with one of " + ", ".join(_FACTORS[unit])


def quantity_pattern(unit: Unit) -> str:
    """Give a regular expression (for JSON Schema) of the texts that are a number with such a unit."""
    return rf"^\s*[+-]?[0-9]+(\.[0-9]+)?\s*({'|'.join(_FACTORS[unit])})\s*$"


def parse_quantity(text: object, unit: Unit, place: str = "value") -> int | float:
    """Turn "5 s" into the internal number of `unit`.

    Args:
        text: number and unit as written by a person.
        unit: the internal unit wanted: `us`, `bytes`, `bit_per_s` (integers) or `prob` (float, 0..1).
        place: where the text stands, for the error message.

    Returns:
        An integer for `us`, `bytes` and `bit_per_s`; a float for `prob`.

    Raises:
        InvalidInput: not a number with a unit of this kind, or it does not come out as a whole number.
    """
    match = _NUMBER.match(text) if isinstance(text, str) else None
    if match is None:
        hint = f'Write the number and its unit in quotes, like "{_EXAMPLES[unit]}".'
        raise InvalidInput(place, text, allowed_units(unit), hint)
    factor = _FACTORS[unit].get(match[2])
    if factor is None:
        raise InvalidInput(place, text, allowed_units(unit), f"The unit {match[2]!r} is not one of them.")
    value = Decimal(match[1]) * factor
    if unit == "prob":
        return float(value)
    if value != value.to_integral_value():
        raise InvalidInput(place, text, f"a whole number of {unit}")
    return int(value)


def format_quantity(value: float, unit: Unit) -> str:
    """Write an internal number as `parse_quantity` reads it: exact, in the largest unit that is short."""
    if unit == "prob":
        return f"{_plain(Decimal(repr(value)) * 100)} %"
    if value == 0:
        return "0 s" if unit == "us" else f"0 {next(iter(_FACTORS[unit]))}"
    units = [(name, factor) for name, factor in _FACTORS[unit].items() if name not in _NOT_WRITTEN]
    spelled = [(Decimal(value) / factor, name) for name, factor in units]
    short = [(number, name) for number, name in spelled if abs(number) >= 1 and len(_plain(number)) <= 6]
    number, name = short[-1] if short else spelled[0]
    return f"{_plain(number)} {name}"


def _plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
