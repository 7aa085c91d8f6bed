"""How long each kind of content is stored, and which clients send themselves a copy of it.

Both are visible to nodes that cannot read the content: the lifetime stands in clear in the store request, and
the copy is a second store in the sender's own swarm. Sources: messages 2.3 (TTL); client-behaviour 6.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.contents._group_change import (
    GroupDeleteContent,
    GroupInvite,
    GroupInviteResponse,
    GroupMemberLeft,
    GroupPromote,
)
from sessionsim.protocol.contents._group_update import GroupUpdate
from sessionsim.protocol.contents._message import Expiry, ExpiryKind, Part
from sessionsim.protocol.contents._signals import (
    Call,
    CallKind,
    Extraction,
    ReadReceipt,
    RequestResponse,
    Typing,
    Unsend,
)
from sessionsim.protocol.contents._visible import Text, TimerUpdate

_DAY_MS = 86_400_000
CONTENT_TTL_MS: Final = 14 * _DAY_MS  # Source: messages 2.3; session-desktop: ts/session/constants.ts
TYPING_TTL_MS: Final = 20_000  # Source: messages 2.3; client-behaviour 6.3, all three clients
CALL_TTL_MS: Final = 5 * 60_000  # Source: messages 2.3
CONFIG_TTL_MS: Final = 30 * _DAY_MS  # Source: messages 2.3; not a kind of content, but of what is stored


@dataclass(frozen=True, slots=True)
class Handling:
    """What clients do with one kind of content.

    Args:
        ttl_ms: lifetime asked for, ms.
        disappears: on Desktop, the timer of delete-after-send takes the place of `ttl_ms`.
        copied_by: platforms that store a copy in the own swarm when it goes to another person.
    """

    ttl_ms: int
    disappears: bool
    copied_by: frozenset[str]


_ALL: Final = frozenset({"desktop", "android", "ios"})
_ANDROID: Final = frozenset({"android"})
_DATA: Final = frozenset({"desktop", "android"})  # Desktop copies what stands in a data message

# ttl and disappears: session-desktop: ts/session/messages/outgoing (`ttl` of each class). copied_by:
# client-behaviour 6.3. Desktop sends extraction notices with delete-after-read, so that they stay 14 days
# (DataExtractionNotificationMessage.ts). A call's answer and end are copied by iOS too, see below.
HANDLING: Final[dict[type[Part], Handling]] = {
    Text: Handling(CONTENT_TTL_MS, True, _ALL),
    TimerUpdate: Handling(CONTENT_TTL_MS, True, _ALL),
    GroupUpdate: Handling(CONTENT_TTL_MS, True, _DATA),
    Typing: Handling(TYPING_TTL_MS, False, _ANDROID),
    ReadReceipt: Handling(CONTENT_TTL_MS, False, _ANDROID),
    Unsend: Handling(CONTENT_TTL_MS, False, _ALL),
    Extraction: Handling(CONTENT_TTL_MS, True, frozenset()),
    RequestResponse: Handling(CONTENT_TTL_MS, False, _ANDROID),
    Call: Handling(CALL_TTL_MS, False, _ANDROID),
}
_CALLS_COPIED_BY_IOS: Final = (CallKind.ANSWER, CallKind.END_CALL)  # Source: client-behaviour 6.3
TTL_RULES: Final = ("desktop", "android")
# Group updates that Android keeps for the full time.
# Source: session-android: MessageSender.kt (getSpecifiedTtl).
_ANDROID_KEEPS: Final = (
    GroupMemberLeft,
    GroupInvite,
    GroupInviteResponse,
    GroupDeleteContent,
    GroupPromote,
)


def ttl_ms(
    part: Part, expiry: Expiry | None = None, *, rule: str = "desktop", sync_copy: bool = False
) -> int:
    """Give the lifetime to ask for when a message is stored, in ms.

    Args:
        part: the content.
        expiry: the disappearing setting of the conversation.
        rule: `desktop`: the timer of delete-after-send counts for what can disappear. `android`: it counts
            for everything but some group updates, typing and calls included, and any timer counts for the
            copy in the own swarm. No other rule was found for iOS ("same idea"): use `desktop`.
        sync_copy: this is the copy for the own devices.

    Raises:
        InvalidInput: no such rule.
    Source: messages 2.3; session-desktop: ExpirableMessage.ts; session-android: MessageSender.kt.
    """
    if rule not in TTL_RULES:
        raise InvalidInput("TTL rule", rule, " or ".join(TTL_RULES))
    handling = HANDLING[type(part)]
    timer_ms = (expiry.timer_s or 0) * 1000 if expiry is not None else 0
    after_send = expiry is not None and expiry.kind is ExpiryKind.AFTER_SEND
    if rule == "desktop":
        shortened = handling.disappears and after_send
    else:
        kept = isinstance(part, GroupUpdate) and isinstance(part.change, _ANDROID_KEEPS)
        shortened = not kept and (after_send or sync_copy)
    return timer_ms if shortened and timer_ms else handling.ttl_ms


def copied_to_self(platform: str, part: Part) -> bool:
    """Say whether a client stores a copy in the own swarm of what it has sent to another person.

    Nothing sent to a group is copied, and a note to self is stored once.

    Args:
        platform: `desktop`, `android` or `ios`.

    Raises:
        InvalidInput: another platform.
    Source: client-behaviour 6.3 (read from code, not run).
    """
    if platform not in _ALL:
        raise InvalidInput("platform", platform, "android, desktop or ios")
    if platform == "ios" and isinstance(part, Call):
        return part.kind in _CALLS_COPIED_BY_IOS
    return platform in HANDLING[type(part)].copied_by
