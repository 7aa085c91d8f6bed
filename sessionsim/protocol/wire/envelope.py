"""The wrapper of a stored message (messages 2.2).

    WebSocketMessage { WebSocketRequestMessage { Envelope { content } } }

Everything here except `content` is readable by the node that stores it: type, the sender's clock, the
signature of a Pro member or its decoy. The message classes in `session_pb2` are generated from
`session.proto`; nothing outside this room touches the protobuf library.

Two forms are in the field: what libsession writes (`wrap`), and what the clients wrote before it
(`wrap_old`). A group's message (messages 4.3) has the same Envelope without the WebSocket wrapper around it.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.wire.session_pb2 import Envelope, WebSocketMessage, WebSocketRequestMessage

M = TypeVar("M", bound=Message)

SOURCE_DEVICE: Final = 1  # Source: messages 2.2; libsession-util: src/session_protocol.cpp
PRO_SIGNATURE_BYTES: Final = 64  # Source: messages 2.2
DIRECT: Final = Envelope.SESSION_MESSAGE  # 6. Source: messages 2.2
GROUP: Final = Envelope.CLOSED_GROUP_MESSAGE  # 7, groups and legacy groups. Source: messages 2.2
_OLD_VERB: Final = "PUT"  # Source: messages 2.2, clients before libsession
_OLD_PATH: Final = "/api/v1/message"  # Source: messages 2.2, clients before libsession
_SOURCE_CHARACTERS: Final = (
    0,
    66,
)  # nothing, or an id in hex. Source: libsession-util: src/session_protocol.cpp


class EnvelopeParts(NamedTuple):
    """An Envelope that has been read. Nothing in it is authenticated.

    Args:
        kind: `DIRECT` or `GROUP`.
        sent_ms: the sender's clock, unix ms.
        content: the sealed box, or in a group the plain Content.
        source: id in hex; empty in direct messages, the group's id in a legacy group.
        source_device: 1 from most clients; 0 if left out.
        pro_signature: 64 bytes, real or decoy; empty from clients before libsession.
    """

    kind: int
    sent_ms: int
    content: bytes
    source: str = ""
    source_device: int = 0
    pro_signature: bytes = b""


def decode(kind: type[M], raw: bytes) -> M:
    """Parse one protobuf message of a class from `session_pb2`; unknown fields are kept and ignored.

    Raises:
        RemoteProtocolError: the bytes are no such message, or a required field is missing.
    """
    try:
        message = kind.FromString(raw)
    except DecodeError as wrong:
        raise RemoteProtocolError(f"not readable as {kind.__name__}") from wrong
    if not message.IsInitialized():
        raise RemoteProtocolError(f"a required field of {kind.__name__} is missing")
    return message


def text_of(value: str) -> str:
    """Pass a text field of a parsed message through.

    The runtime does not check text of this syntax version while parsing and hands malformed UTF-8 out as
    bytes.

    Raises:
        RemoteProtocolError: the field is not UTF-8.
    """
    if not isinstance(value, str):
        raise RemoteProtocolError("a text is not UTF-8")
    return value


def write_envelope(
    kind: Envelope.Type,
    content: bytes,
    sent_ms: int,
    *,
    source: str | None = None,
    source_device: int | None = SOURCE_DEVICE,
    pro_signature: bytes | None = None,
) -> bytes:
    """Write an Envelope.

    Args:
        kind: `DIRECT` or `GROUP`.
        content: the sealed box, or in a group the plain Content.
        sent_ms: unix time in ms.
        source, source_device, pro_signature: None leaves the field out.

    Raises:
        LocalProtocolError: the time is negative or beyond 64 bits, or the signature is not 64 bytes.
    Source: messages 2.2, 4.3; libsession-util: src/session_protocol.cpp.
    """
    if pro_signature is not None and len(pro_signature) != PRO_SIGNATURE_BYTES:
        raise LocalProtocolError(f"a Pro signature has 64 bytes, not {len(pro_signature)}")
    try:
        return Envelope(
            type=kind,
            source=source,
            timestamp=sent_ms,
            sourceDevice=source_device,
            content=content,
            proSig=pro_signature,
        ).SerializeToString()
    except ValueError as wrong:
        raise LocalProtocolError(f"a time of {sent_ms} ms cannot be written") from wrong


def read_envelope(raw: bytes) -> EnvelopeParts:
    """Read an Envelope: the body of a stored message, or what a group's message holds.

    Raises:
        RemoteProtocolError: not readable, a required field is missing, no content, or a source or Pro
            signature of impossible length.
    Source: messages 2.2; libsession-util: src/session_protocol.cpp (decode_envelope).
    """
    envelope = decode(Envelope, raw)
    content = envelope.content
    if not content and not envelope.HasField("content"):
        raise RemoteProtocolError("an envelope without content")
    _check(envelope)
    return EnvelopeParts(
        envelope.type,
        envelope.timestamp,
        content,
        text_of(envelope.source),
        envelope.sourceDevice,
        envelope.proSig,
    )


def _check(envelope: Envelope) -> None:
    # What is there and right is the usual case; a source that is left out reads as empty.
    if len(envelope.proSig) != PRO_SIGNATURE_BYTES and envelope.HasField("proSig"):
        raise RemoteProtocolError("a Pro signature that is not 64 bytes long")
    if len(envelope.source) not in _SOURCE_CHARACTERS:
        raise RemoteProtocolError("an envelope's source that is no id")


def wrap(ciphertext: bytes, sent_ms: int, pro_signature: bytes) -> bytes:
    """Wrap a sealed direct message the way libsession does; the result is what a swarm stores.

    Args:
        ciphertext: the sealed box.
        sent_ms: unix time in ms, written in clear.
        pro_signature: 64 bytes, real or decoy.

    Raises:
        LocalProtocolError: the time is negative or beyond 64 bits, or the signature is not 64 bytes.
    Source: messages 2.2; libsession-util: src/session_protocol.cpp, proto/WebSocketResources.proto.
    """
    if len(pro_signature) != PRO_SIGNATURE_BYTES:
        raise LocalProtocolError(f"a Pro signature has 64 bytes, not {len(pro_signature)}")
    try:
        envelope = Envelope(
            type=Envelope.SESSION_MESSAGE,
            timestamp=sent_ms,
            sourceDevice=SOURCE_DEVICE,
            content=ciphertext,
            proSig=pro_signature,
        ).SerializeToString()
    except ValueError as wrong:
        raise LocalProtocolError(f"a time of {sent_ms} ms cannot be written") from wrong
    request = WebSocketRequestMessage(verb="", path="", body=envelope, requestId=0)
    return WebSocketMessage(type=WebSocketMessage.REQUEST, request=request).SerializeToString()


def wrap_old(
    ciphertext: bytes,
    sent_ms: int,
    request_id: int,
    *,
    kind: Envelope.Type = DIRECT,
    source: str | None = "",
    source_device: int | None = None,
) -> bytes:
    """Wrap a sealed box the way clients did before libsession (on Desktop until October 2025).

    Args:
        ciphertext: the sealed box.
        sent_ms: unix time in ms, written in clear.
        request_id: random, below 2⁶⁴. The sizes of messages 2.4 are those of an id of five bytes as a varint.
        kind, source: `GROUP` and the group's id in hex for a legacy group; by default a direct message
            with an empty source. None leaves the source out.
        source_device: left out by default, as the sizes of messages 2.4 say; a message of an old iOS client
            in the reference's tests has 1.

    Raises:
        LocalProtocolError: a number that cannot be written.
    Source: messages 2.2; libsession-util: tests/test_proto.cpp.
    """
    envelope = write_envelope(kind, ciphertext, sent_ms, source=source, source_device=source_device)
    try:
        request = WebSocketRequestMessage(verb=_OLD_VERB, path=_OLD_PATH, body=envelope, requestId=request_id)
    except ValueError as wrong:
        raise LocalProtocolError(f"a request id of {request_id} cannot be written") from wrong
    return WebSocketMessage(type=WebSocketMessage.REQUEST, request=request).SerializeToString()


def body_of(stored: bytes) -> bytes:
    """Take the WebSocket wrapper off what a swarm stores; gives the bytes of the Envelope, not empty.

    Raises:
        RemoteProtocolError: no request with a body.
    Source: messages 2.2.
    """
    outer = decode(WebSocketMessage, stored)
    body = outer.request.body
    if outer.type != WebSocketMessage.REQUEST or not body:
        raise RemoteProtocolError("not a stored message: no request with a body")
    return body


def unwrap(stored: bytes) -> tuple[int, bytes]:
    """Take the wrapper off a stored direct message, current or older form. Keys are not needed.

    Returns:
        The envelope's time in ms (the sender's clock, not authenticated) and the sealed box, not empty.

    Raises:
        RemoteProtocolError: not a direct message in its wrapper.
    Source: messages 2.2.
    """
    envelope = decode(Envelope, body_of(stored))
    if envelope.type != Envelope.SESSION_MESSAGE:
        raise RemoteProtocolError("not the envelope of a direct message")
    if not envelope.content:
        raise RemoteProtocolError("an envelope without content")
    _check(envelope)
    return envelope.timestamp, envelope.content
