"""Which of the time zones of their country people live in: each gets one by the share of its people."""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.zones import OFFSETS_H

# Shares of the people, in the order of OFFSETS_H. Assumption: rounded from population counts.
_SHARES: Final[dict[str, tuple[float, ...]]] = {
    "US": (0.47, 0.29, 0.07, 0.17), "RU": (0.67, 0.07, 0.15, 0.08, 0.03), "BR": (0.94, 0.06),
    "CA": (0.62, 0.07, 0.12, 0.13, 0.06), "AU": (0.81, 0.08, 0.11), "ID": (0.80, 0.16, 0.04),
}  # fmt: skip
ZONES: Final[dict[str, tuple[tuple[float, float], ...]]] = {  # hours ahead of UTC, share of the people
    country: tuple(zip(offsets, _SHARES.get(country, (1.0,)), strict=True))
    for country, offsets in OFFSETS_H.items()
}


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
