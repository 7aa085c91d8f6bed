"""Everything in Content that is neither text nor group update: typing, receipts, deletions, notices, calls.

Each stands in its own field of Content (messages 2.3) and, but for calls and extraction notices, never
disappears on a timer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.contents._checks import check_id, id_of
from sessionsim.protocol.contents._profile import Profile, read_profile, write_profile
from sessionsim.protocol.wire import session_pb2
from sessionsim.protocol.wire.envelope import text_of


@dataclass(frozen=True, slots=True)
class Typing:
    """The other person has started or stopped typing. Args: at_ms: when, unix ms."""

    started: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """Messages that have been read. Args: sent_ms: their sending times, unix ms."""

    sent_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unsend:
    """A wish that a message be deleted. Args: sent_ms, author: which one; the author's id has 33 bytes."""

    sent_ms: int
    author: bytes

    def __post_init__(self) -> None:
        check_id(self.author, "author of the message to delete")


class ExtractionKind(IntEnum):
    """What was taken out of the app. Source: messages 2.3."""

    SCREENSHOT = 1
    MEDIA_SAVED = 2


@dataclass(frozen=True, slots=True)
class Extraction:
    """A notice that something was taken out of the app.

    Args:
        kind: what.
        at_ms: sending time of the message it was taken from; None if not said.
    """

    kind: ExtractionKind
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RequestResponse:
    """The answer to a message request; clients only send the approving one."""

    approved: bool
    profile: Profile | None = None


class CallKind(IntEnum):
    """A step of call signalling. Source: messages 2.3."""

    OFFER = 1
    ANSWER = 2
    PROVISIONAL_ANSWER = 3
    ICE_CANDIDATES = 4
    END_CALL = 5
    PRE_OFFER = 6


# Steps that carry no session description. Source: session-desktop: CallMessage.ts.
_BARE_STEPS = (CallKind.END_CALL, CallKind.PRE_OFFER)


@dataclass(frozen=True, slots=True)
class Call:
    """One message of call signalling.

    Args:
        kind: the step.
        uuid: names the call; not empty.
        sdps: session descriptions, or ICE candidates with the two lists beside them.
    """

    kind: CallKind
    uuid: str
    sdps: tuple[str, ...] = ()
    line_indexes: tuple[int, ...] = ()
    mids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.uuid:
            raise LocalProtocolError("a call without uuid")
        if not self.sdps and self.kind not in _BARE_STEPS:
            raise LocalProtocolError(f"a {self.kind.name} without session description")


def write_typing(typing: Typing, into: session_pb2.Content) -> None:
    """Put a typing indicator into Content."""
    into.typingMessage.timestamp = typing.at_ms
    kinds = session_pb2.TypingMessage
    into.typingMessage.action = kinds.STARTED if typing.started else kinds.STOPPED


def read_typing(found: session_pb2.Content) -> Typing:
    """Read the typing indicator of a Content."""
    typing = found.typingMessage
    return Typing(typing.action == session_pb2.TypingMessage.STARTED, typing.timestamp)


def write_receipt(receipt: ReadReceipt, into: session_pb2.Content) -> None:
    """Put a read receipt into Content."""
    into.receiptMessage.type = session_pb2.ReceiptMessage.READ
    into.receiptMessage.timestamp.extend(receipt.sent_ms)


def read_receipt(found: session_pb2.Content) -> ReadReceipt:
    """Read the receipt of a Content. Raises RemoteProtocolError: a delivery receipt, which nobody uses."""
    if found.receiptMessage.type != session_pb2.ReceiptMessage.READ:
        raise RemoteProtocolError("a delivery receipt")
    return ReadReceipt(tuple(found.receiptMessage.timestamp))


def write_unsend(unsend: Unsend, into: session_pb2.Content) -> None:
    """Put a deletion into Content."""
    into.unsendRequest.timestamp = unsend.sent_ms
    into.unsendRequest.author = unsend.author.hex()


def read_unsend(found: session_pb2.Content) -> Unsend:
    """Read the deletion of a Content. Raises RemoteProtocolError: no author."""
    wish = found.unsendRequest
    return Unsend(wish.timestamp, id_of(wish.author, "author of the message to delete"))


def write_extraction(extraction: Extraction, into: session_pb2.Content) -> None:
    """Put an extraction notice into Content."""
    written = into.dataExtractionNotification
    written.type = cast("session_pb2.DataExtractionNotification.Type", extraction.kind)
    if extraction.at_ms is not None:
        written.timestamp = extraction.at_ms


def read_extraction(found: session_pb2.Content) -> Extraction:
    """Read the extraction notice of a Content."""
    notice = found.dataExtractionNotification
    at_ms = notice.timestamp if notice.HasField("timestamp") else None
    return Extraction(ExtractionKind(notice.type), at_ms)


def write_response(response: RequestResponse, into: session_pb2.Content) -> None:
    """Put the answer to a message request into Content."""
    into.messageRequestResponse.isApproved = response.approved
    write_profile(response.profile, into.messageRequestResponse)


def read_response(found: session_pb2.Content) -> RequestResponse:
    """Read the answer to a message request. Raises RemoteProtocolError: text that is not UTF-8."""
    response = found.messageRequestResponse
    return RequestResponse(response.isApproved, read_profile(response))


def write_call(call: Call, into: session_pb2.Content) -> None:
    """Put call signalling into Content."""
    written = into.callMessage
    written.type = cast("session_pb2.CallMessage.Type", call.kind)
    written.sdps.extend(call.sdps)
    written.sdpMLineIndexes.extend(call.line_indexes)
    written.sdpMids.extend(call.mids)
    written.uuid = call.uuid


def read_call(found: session_pb2.Content) -> Call:
    """Read the call signalling of a Content. Raises RemoteProtocolError or LocalProtocolError."""
    call = found.callMessage
    return Call(
        CallKind(call.type),
        text_of(call.uuid),
        tuple(map(text_of, call.sdps)),
        tuple(call.sdpMLineIndexes),
        tuple(map(text_of, call.sdpMids)),
    )
