"""When the platforms push the configs of an account and how they keep them alive, as numbers.

Sources: messages 5.7; client-behaviour 6.1, 6.3; session-desktop: UserSyncJob.ts; session-ios:
ConfigurationSyncJob.swift; session-android: ConfigUploader.kt, BasePoller.kt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_S


@dataclass(frozen=True, slots=True)
class ConfigPushRules:
    """How one platform pushes configs. Times in microseconds."""

    delay_us: int = setting(
        3 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="From a change to its push; further changes until then go with it.",
        source="messages 5.7: desktop 3 s, Android 1 s, iOS at once",
    )  # fmt: skip
    spacing_us: int = setting(
        5 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Least time between two pushes.", source="messages 5.7: desktop 5 s, iOS 3 s, Android none",
    )  # fmt: skip
    attempts: int = setting(
        3, doc="Attempts of one push; after them it is due again.",
        source="client-behaviour 6.3: desktop 3, phones 10", low=1, high=100,
    )  # fmt: skip
    pause_us: int = setting(
        US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Pause before the second attempt.",
        source="client-behaviour 6.3: desktop 1 s, phones 0.25·2^n s",
    )  # fmt: skip
    pause_growth: float = setting(
        1.0, doc="Factor by which the pause grows with each attempt.", source="client-behaviour 6.3",
        low=1, high=10,
    )  # fmt: skip
    pause_cap_us: int = setting(
        150 * US_PER_S, unit="us", low=0, high=US_PER_DAY,
        doc="Longest pause between attempts.", source="client-behaviour 6.3",
    )  # fmt: skip
    forced_us: int = setting(
        2 * US_PER_DAY, unit="us", low=0, high=366 * US_PER_DAY,
        doc="Push everything again after so long, changed or not; 0 for never. The first time is at a random "
        "moment.",
        source="client-behaviour 6.3: desktop every 2 days; whether it stores what is unchanged is not known",
    )  # fmt: skip
    ttl_us: int = setting(
        30 * US_PER_DAY, unit="us", low=10 * US_PER_S, high=30 * US_PER_DAY,
        doc="Lifetime asked for configs.", source="messages 2.3, 5.7",
    )  # fmt: skip
    extends: bool = setting(
        True,
        doc="Extend, with each poll of the own account, the life of the configs in the swarm.",
        source="client-behaviour 6.1: one `expire` for known config hashes",
    )
    extension_us: int = setting(
        30 * US_PER_DAY, unit="us", low=0, high=30 * US_PER_DAY,
        doc="To how far ahead the life is extended.",
        source="client-behaviour 6.1: 30 d; messages 5.7: Android 14 d; iOS as desktop: Assumption",
    )  # fmt: skip


DESKTOP: Final = ConfigPushRules()
IOS: Final = replace(
    DESKTOP,
    delay_us=0,
    spacing_us=3 * US_PER_S,
    attempts=10,
    pause_us=US_PER_S // 4,
    pause_growth=2.0,
    forced_us=0,
)
ANDROID: Final = replace(
    DESKTOP,
    delay_us=US_PER_S,
    spacing_us=0,
    attempts=10,
    pause_us=US_PER_S // 2,
    pause_growth=2.0,
    forced_us=0,
    extension_us=14 * US_PER_DAY,
)
PLATFORMS: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": IOS}
