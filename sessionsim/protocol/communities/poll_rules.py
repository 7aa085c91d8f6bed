"""How the platforms poll a community, as numbers a scenario may change (client-behaviour 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S

_SOURCE = "client-behaviour 6.2; session-desktop: .../opengroupV2/OpenGroupServerPoller.ts"


@dataclass(frozen=True, slots=True)
class CommunityPollRules:
    """When a client asks a community for news, and how. Times in microseconds."""

    family: str = setting(
        "desktop",
        doc="Which client family writes the requests.",
        source="messages 8",
        choices=("desktop", "android", "libsession"),
    )
    interval_us: int = setting(
        10 * US_PER_S, unit="us", low=1, doc="Pause after a poll that brought an answer.", source=_SOURCE
    )
    failure_base: float = setting(
        0.0,
        low=0,
        doc="This to the power of the failures in a row, in seconds, is added to the pause; 0: nothing is.",
        source="client-behaviour 6.2: iOS 3 + 2^fails s",
    )
    failure_step_us: int = setting(
        0, unit="us", low=0, doc="Or longer by this much for every failure.", source="client-behaviour 6.2"
    )
    longest_us: int = setting(
        10 * US_PER_S, unit="us", low=1, doc="Longest pause after failures.", source="client-behaviour 6.2"
    )
    timeout_us: int = setting(
        10 * US_PER_S, unit="us", low=1, doc="How long an answer is awaited.", source="client-behaviour 6.2"
    )
    always_all_details: bool = setting(
        True,
        doc="Ask for a room's details as if none were known, so that they come with every poll.",
        source="session-desktop: OpenGroupServerPoller.ts (makeSubrequestInfo: infoUpdated 0); messages 8 "
        "has the number last seen",
    )
    asks_inbox: bool = setting(
        True,
        doc="Ask for the inbox too; on desktop a setting of the person, off at first.",
        source="messages 8; session-desktop: OpenGroupServerPoller.ts (hasBlindedMsgRequestsEnabled)",
    )


DESKTOP: Final = CommunityPollRules()
ANDROID: Final = CommunityPollRules(
    family="android",
    interval_us=4 * US_PER_S,
    failure_step_us=4 * US_PER_S,
    longest_us=30 * US_PER_S,
    always_all_details=False,
)
IOS: Final = CommunityPollRules(
    family="libsession",
    interval_us=3 * US_PER_S,
    failure_base=2.0,
    longest_us=3600 * US_PER_S,
    always_all_details=False,
)
PLATFORMS: Final = {"desktop": DESKTOP, "android": ANDROID, "ios": IOS}
