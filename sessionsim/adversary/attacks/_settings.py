"""Settings that attacks of an active adversary share."""

from __future__ import annotations

from typing import Any

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MS, US_PER_S


def name_setting(kind: str) -> Any:
    """Declare whose log is read. Args: kind: of interference."""
    return setting(
        "",
        doc=f"Name of the interference whose log is read; empty: all of kind {kind}.",
        source="Assumption: an adversary knows which of its acts belong together",
    )


def lag_setting() -> Any:
    """Declare the usual time from the place of the act to the far end."""
    return setting(
        200 * US_PER_MS,
        unit="us",
        doc="Usual time from where the adversary acts to its node at the far end.",
        source="Assumption: three legs between hosting sites (metrics 5: median round trip 142 ms)",
        low=0,
        high=60 * US_PER_S,
    )


def window_setting(default_us: int, doc: str) -> Any:
    """Declare how long after an act its effect is looked for."""
    return setting(default_us, unit="us", doc=doc, source="Assumption: chosen per question", low=1000,
                   high=3600 * US_PER_S)  # fmt: skip
