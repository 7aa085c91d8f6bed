"""How the platforms send signals, as numbers and choices a scenario may change.

Sources: client-behaviour 6.3 (copies, lifetimes, whom typing is shown to) and 6.5 (calls); messages 2.3; and
those named with each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S

# What a copy for the own devices may be made of; "call" is every step of a call, "answer" and "end" are two.
COPIED: Final = ("typing", "receipt", "reaction", "deletion", "response", "call", "answer", "end")
_UNSENDING: Final = (
    "session-desktop: ts/interactions/conversations/unsendingInteractions.ts (first); session-android: "
    "ReceivedMessageProcessor.kt, session-ios: MessageReceiver+UnsendRequests.swift (beside)"
)


@dataclass(frozen=True, slots=True)
class SignalRules:
    """Signals on one platform. Times in microseconds."""

    typing_ttl_us: int = setting(
        20 * US_PER_S, unit="us", low=US_PER_S, high=14 * US_PER_DAY,
        doc="Lifetime asked for typing indicators.", source="client-behaviour 6.3; messages 2.3",
    )  # fmt: skip
    typing_shown_us: int = setting(
        15 * US_PER_S, unit="us", low=US_PER_S, high=US_PER_DAY,
        doc="How long a typing indicator is shown that is neither refreshed nor ended.",
        source="client-behaviour 6.3: up to 15 s",
    )  # fmt: skip
    call_ttl_us: int = setting(
        5 * US_PER_MIN, unit="us", low=US_PER_S, high=14 * US_PER_DAY,
        doc="Lifetime asked for call signalling.", source="client-behaviour 6.3, 6.5; messages 2.3",
    )  # fmt: skip
    typing_to: str = setting(
        "approved",
        doc="Who is shown typing indicators: contacts who have accepted the sender, or everybody.",
        source="client-behaviour 6.3: only approved 1:1 contacts",
        choices=("approved", "everybody"),
    )
    receipts_to: str = setting(
        "accepted",
        doc="Who gets read receipts: contacts whom the reader has accepted, or everybody.",
        source="session-desktop: ts/models/conversation.ts (sendReadReceiptsIfNeeded); Assumption: all alike",
        choices=("accepted", "everybody"),
    )
    response_profile: bool = setting(
        True,
        doc="Whether the yes to a message request tells name and picture of who says it.",
        source="session-desktop: ts/models/conversation.ts (sendMessageRequestResponse); messages 2.3",
    )
    copied: tuple[str, ...] = setting(
        ("reaction", "deletion"),
        doc=f"Signals of which the own other devices get a copy, of: {', '.join(COPIED)}.",
        source="client-behaviour 6.3: what is copied to the own swarm",
    )
    own_copy_deleted: str = setting(
        "first",
        doc="When who deletes a message deletes the own copy of it from the own swarm: first, and the other "
        "person is asked to delete it only if that worked; beside it; or never.",
        source=_UNSENDING,
        choices=("first", "beside", "never"),
    )
    received_deleted: bool = setting(
        True,
        doc="Whether who is asked to delete a message deletes it from the own swarm too.",
        source="session-desktop: ts/receiver/contentMessage.ts (handleUnsendMessage); as above",
    )

    def __post_init__(self) -> None:
        wrong = sorted(set(self.copied) - set(COPIED))
        if wrong:
            raise InvalidInput("copied", ", ".join(wrong), f"some of {', '.join(COPIED)}")


DESKTOP: Final = SignalRules()
ANDROID: Final = replace(
    DESKTOP,
    response_profile=False,  # Source: session-android: MessageRequestResponse.kt
    copied=("typing", "receipt", "reaction", "deletion", "response", "call"),
    own_copy_deleted="beside",
)
IOS: Final = replace(DESKTOP, copied=("reaction", "deletion", "answer", "end"), own_copy_deleted="beside")
PLATFORMS: Final = {"android": ANDROID, "desktop": DESKTOP, "ios": IOS}
