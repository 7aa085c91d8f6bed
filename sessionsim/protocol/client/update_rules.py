"""When clients ask the file server for the newest version of the app, as numbers (client-behaviour 6.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN

_DESKTOP: Final = "session-desktop: ts/session/fetch_latest_release/index.ts"
_ANDROID: Final = "session-android: org/thoughtcrime/securesms/util/VersionDataFetcher.kt"
_IOS: Final = "session-ios: SessionMessagingKit/Jobs/CheckForAppUpdatesJob.swift"


@dataclass(frozen=True, slots=True)
class UpdateRules:
    """The version check of one platform. Times in microseconds."""

    interval_us: int = setting(
        US_PER_DAY, unit="us", low=0, high=366 * US_PER_DAY,
        doc="How long after an answer the newest version is asked for again; 0: it never is.",
        source=f"client-behaviour 6.5: desktop daily (newer ones after 30 min, {_DESKTOP}); "
        f"4 h in {_ANDROID} and {_IOS}",
    )  # fmt: skip
    retry_us: int = setting(
        US_PER_MIN, unit="us", low=10_000, high=366 * US_PER_DAY,
        doc="How long after a check without an answer the next one is made.",
        source=f"{_DESKTOP} 1 min; {_ANDROID} 4 h; Assumption: iOS too",
    )  # fmt: skip
    remembered: bool = setting(
        False,
        doc="Whether an app that starts knows when it last asked; else it asks a while after each start.",
        source=f"{_DESKTOP} no; {_ANDROID}, {_IOS} yes",
    )
    start_us: int = setting(
        US_PER_MIN, unit="us", low=0, high=US_PER_DAY,
        doc="That while; of apps that remember, only at their very first start.",
        source=f"{_DESKTOP} 1 min; {_ANDROID} at once; Assumption: iOS too",
    )  # fmt: skip
    front_retries: bool = setting(
        False,
        doc="Whether an app that comes to the front makes up at once for a check that got no answer.",
        source=f"{_ANDROID}, {_IOS} yes; desktop has no such moment",
    )


DESKTOP: Final = UpdateRules()
ANDROID: Final = replace(
    DESKTOP, interval_us=4 * US_PER_H, retry_us=4 * US_PER_H, remembered=True, start_us=0, front_retries=True
)
PLATFORMS: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": ANDROID}
# A client that never asks, for worlds that look at something else.
OFF: Final = {name: replace(rules, interval_us=0) for name, rules in PLATFORMS.items()}
