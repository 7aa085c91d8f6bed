"""What time it is where: the offsets from UTC of each country's zones, as anyone can look them up.

Offsets are those in force on 28 April 2026, the day of the newest node list; changes of the clock during a
run are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Hours ahead of UTC, of the zone with the most people first. Source: IANA time zone database, rules in force
# on 28 April 2026.
OFFSETS_H: Final[Mapping[str, tuple[float, ...]]] = {
    "US": (-4, -5, -6, -7), "RU": (3, 4, 5, 7, 10), "CA": (-4, -5, -6, -7, -3), "BR": (-3, -4),
    "AU": (10, 9.5, 8), "ID": (7, 8, 9),
    "DE": (2,), "NL": (2,), "FR": (2,), "GB": (1,), "FI": (3,), "SE": (2,), "UA": (3,), "IN": (5.5,),
    "JP": (9,), "SG": (8,), "ZA": (2,), "NG": (1,), "IR": (3.5,), "TR": (3,),
}  # fmt: skip


def zone_name(offset_h: float) -> str:
    """Write an offset from UTC, for example `UTC+5:30` or `UTC-4`. Args: offset_h: hours ahead of UTC."""
    hours, minutes = divmod(round(abs(offset_h) * 60), 60)
    return f"UTC{'-' if offset_h < 0 else '+'}{hours}{f':{minutes:02}' if minutes else ''}"


def only_zone(country: str) -> str:
    """Give the time zone of a country that has one, as `zone_name` writes it.

    Args:
        country: two letters.

    Returns:
        Empty for a country of several zones, or one that is not in the table.
    """
    offsets = OFFSETS_H.get(country, ())
    return zone_name(offsets[0]) if len(offsets) == 1 else ""
