"""Content as a whole: one kind of content, the signed time, the disappearing setting, a Pro claim.

On the wire several kinds could stand side by side; no client writes that, and each reads the first of its own
order. The signed time is the one to be trusted; a client drops a message whose wrapper says another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias, cast

from sessionsim.core.errors import InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.contents import _group_update, _signals, _visible
from sessionsim.protocol.contents._group_update import GroupUpdate
from sessionsim.protocol.contents._signals import (
    Call,
    Extraction,
    ReadReceipt,
    RequestResponse,
    Typing,
    Unsend,
)
from sessionsim.protocol.contents._visible import Text, TimerUpdate
from sessionsim.protocol.pro_proof import Generation
from sessionsim.protocol.pro_signature import ProClaim, read_claim, write_claim
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import decode

Part: TypeAlias = (
    Text | TimerUpdate | GroupUpdate | Typing | ReadReceipt | Unsend | Extraction | RequestResponse | Call
)

# How far the signed time of a community post may be from the server's, ms.
# Source: session-desktop: ts/receiver/common.ts; session-android: MessageParser.kt.
COMMUNITY_WINDOW_MS: Final = 6 * 60 * 60 * 1000


class ExpiryKind(IntEnum):
    """When the timer of a message starts. Source: messages 2.3."""

    OFF = 0
    AFTER_READ = 1
    AFTER_SEND = 2


@dataclass(frozen=True, slots=True)
class Expiry:
    """The disappearing setting that a message carries.

    Args:
        kind: None leaves the field out, as older iOS clients do when the timer is off.
        timer_s: seconds; None leaves the field out.
    """

    kind: ExpiryKind | None = ExpiryKind.OFF
    timer_s: int | None = 0


@dataclass(frozen=True, slots=True)
class Message:
    """The plaintext of a message.

    Args:
        sent_ms: the signed time of sending, unix ms.
        part: what the message is.
        expiry: today's clients write it with everything that can disappear, even when it is off; None
            leaves both fields out.
        pro: what a Pro member claims; None without Pro.
    """

    sent_ms: int
    part: Part
    expiry: Expiry | None = None
    pro: ProClaim | None = None


@dataclass(frozen=True, slots=True)
class ReadRules:
    """How a client reads Content where clients differ.

    Args:
        order: names of kinds (see `READ_ORDERS`), the first that is there is taken.
        pro: which generation of Pro proofs it understands.
    """

    order: tuple[str, ...]
    pro: Generation = Generation.APRIL_2026


# Source: session-desktop: ts/receiver/contentMessage.ts; session-android: MessageParser.kt; session-ios:
# SessionMessagingKit/Messages/Message.swift (prioritisedVariants).
READ_ORDERS: Final = {
    "desktop": (
        *("group update", "timer update", "text", "read receipt", "typing", "extraction", "unsend", "call"),
        "request response",
    ),
    "android": (
        *("read receipt", "typing", "extraction", "timer update", "unsend", "request response", "call"),
        *("group update", "text"),
    ),
    "ios": (
        *("read receipt", "typing", "group update", "extraction", "timer update", "unsend"),
        *("request response", "text", "call"),
    ),
}
DESKTOP_READS: Final = ReadRules(READ_ORDERS["desktop"])

_Content: TypeAlias = session_pb2.Content


def _is_timer_update(found: _Content) -> bool:
    return bool(found.dataMessage.flags & session_pb2.DataMessage.EXPIRATION_TIMER_UPDATE)


# Name of a kind -> is it there, and how it is read.
_READERS: Final[dict[str, tuple[Callable[[_Content], bool], Callable[[_Content], Part]]]] = {
    "group update": (
        lambda found: found.dataMessage.HasField("groupUpdateMessage"),
        lambda found: _group_update.read_group_update(found.dataMessage),
    ),
    "timer update": (_is_timer_update, lambda found: _visible.read_timer_update(found.dataMessage)),
    "text": (
        lambda found: found.HasField("dataMessage"),
        lambda found: _visible.read_visible(found.dataMessage),
    ),
    "read receipt": (lambda found: found.HasField("receiptMessage"), _signals.read_receipt),
    "typing": (lambda found: found.HasField("typingMessage"), _signals.read_typing),
    "extraction": (lambda found: found.HasField("dataExtractionNotification"), _signals.read_extraction),
    "unsend": (lambda found: found.HasField("unsendRequest"), _signals.read_unsend),
    "call": (lambda found: found.HasField("callMessage"), _signals.read_call),
    "request response": (lambda found: found.HasField("messageRequestResponse"), _signals.read_response),
}
_WRITERS: Final[dict[type[Part], Callable[[Any, _Content], None]]] = {
    Text: lambda part, into: _visible.write_visible(part, _data(into)),
    TimerUpdate: lambda part, into: _visible.write_timer_update(part, _data(into)),
    GroupUpdate: lambda part, into: _group_update.write_group_update(part, _data(into)),
    Typing: _signals.write_typing,
    ReadReceipt: _signals.write_receipt,
    Unsend: _signals.write_unsend,
    Extraction: _signals.write_extraction,
    RequestResponse: _signals.write_response,
    Call: _signals.write_call,
}


def _data(into: _Content) -> session_pb2.DataMessage:
    into.dataMessage.SetInParent()
    return into.dataMessage


def write(message: Message) -> bytes:
    """Write Content: what is padded and sealed for a person, and stands plain in a group's envelope.

    Raises:
        InvalidInput: a text holds characters that UTF-8 cannot express.
        LocalProtocolError: a number out of range.
    Source: messages 2.3.
    """
    content = _Content()
    try:
        _WRITERS[type(message.part)](message.part, content)
        if message.expiry is not None:
            if message.expiry.kind is not None:
                content.expirationType = cast("session_pb2.Content.ExpirationType", message.expiry.kind)
            if message.expiry.timer_s is not None:
                content.expirationTimer = message.expiry.timer_s
        content.sigTimestamp = message.sent_ms
        if message.pro is not None:
            write_claim(message.pro, content)
    except UnicodeEncodeError as wrong:
        raise InvalidInput("message text", wrong.object, "characters that UTF-8 can express") from wrong
    except ValueError as wrong:
        raise LocalProtocolError(f"a Content cannot hold these numbers: {wrong}") from wrong
    return content.SerializeToString()


def read(
    content: bytes,
    *,
    outer_ms: int | None = None,
    window_ms: int = 0,
    rules: ReadRules = DESKTOP_READS,
) -> Message:
    """Read Content.

    Args:
        content: without padding.
        outer_ms: what the wrapper, or in a community the server, says about the time of sending, unix ms.
            None if there is nothing to compare with.
        window_ms: how far the signed time may be from it: 0 in direct and group messages.
        rules: how clients differ.

    Returns:
        Without a signed time, as from clients before 2024, `sent_ms` is the outer one, or 0.

    Raises:
        RemoteProtocolError: not readable, nothing known in it, malformed, or of another time than `outer_ms`.
    Source: messages 2.3; session-desktop: ts/receiver/contentMessage.ts, ts/receiver/common.ts.
    """
    found = decode(_Content, content)
    signed_ms = found.sigTimestamp
    if signed_ms and outer_ms is not None and abs(signed_ms - outer_ms) > window_ms:
        raise RemoteProtocolError("the signed time is not that of the wrapper")
    try:
        part = _part_of(found, rules.order)
        pro = read_claim(found.proMessage, rules.pro) if found.HasField("proMessage") else None
    except LocalProtocolError as wrong:  # a record that does not hold what others sent
        raise RemoteProtocolError(str(wrong)) from wrong
    return Message(signed_ms or outer_ms or 0, part, _expiry_of(found), pro)


def _part_of(found: _Content, order: tuple[str, ...]) -> Part:
    for name in order:
        is_there, reader = _READERS[name]
        if is_there(found):
            return reader(found)
    raise RemoteProtocolError("a Content with nothing known in it")


def _expiry_of(found: _Content) -> Expiry | None:
    kind = ExpiryKind(found.expirationType) if found.HasField("expirationType") else None
    timer_s = found.expirationTimer if found.HasField("expirationTimer") else None
    return None if kind is None and timer_s is None else Expiry(kind, timer_s)
