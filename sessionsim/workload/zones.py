"""What time it is where somebody lives: the offsets from UTC of each country's zones.

Offsets are those in force on 28 April 2026, the day of the newest node list; changes of the clock during a
run are left out. In a country of several zones each person gets one by the share of its people.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import InvalidInput

# Hours ahead of UTC with the share of the people. Source: IANA time zone database, rules in force on
# 28 April 2026. Assumption: the shares of the zones of US, RU, CA, BR, AU and ID, rounded from population
# counts.
ZONES: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "US": ((-4, 0.47), (-5, 0.29), (-6, 0.07), (-7, 0.17)),
    "RU": ((3, 0.67), (4, 0.07), (5, 0.15), (7, 0.08), (10, 0.03)),
    "CA": ((-4, 0.62), (-5, 0.07), (-6, 0.12), (-7, 0.13), (-3, 0.06)),
    "BR": ((-3, 0.94), (-4, 0.06)),
    "AU": ((10, 0.81), (9.5, 0.08), (8, 0.11)),
    "ID": ((7, 0.80), (8, 0.16), (9, 0.04)),
    "DE": ((2, 1),), "NL": ((2, 1),), "FR": ((2, 1),), "GB": ((1, 1),), "FI": ((3, 1),), "SE": ((2, 1),),
    "UA": ((3, 1),), "IN": ((5.5, 1),), "JP": ((9, 1),), "SG": ((8, 1),), "ZA": ((2, 1),), "NG": ((1, 1),),
    "IR": ((3.5, 1),), "TR": ((3, 1),),
}  # fmt: skip


def utc_offset_h(country: str, u: float) -> float:
    """Give the hours ahead of UTC of somebody in a country, at a uniform number in [0, 1).

    Raises:
        InvalidInput: a country whose zones are not known.
    """
    if country not in ZONES:
        raise InvalidInput("country", country, f"one whose time zone is known: {', '.join(sorted(ZONES))}")
    for offset, share in ZONES[country]:
        if u < share:
            return offset
        u -= share
    return ZONES[country][-1][0]  # the shares add up to 1 but for rounding
