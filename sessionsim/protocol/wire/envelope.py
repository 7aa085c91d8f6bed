"""The wrapper of a stored message (messages 2.2).

    WebSocketMessage { WebSocketRequestMessage { Envelope { content } } }

Everything here except `content` is readable by the node that stores it: type, the sender's clock, the
signature of a Pro member or its decoy. The message classes in `session_pb2` are generated from
`session.proto`; nothing outside this room touches the protobuf library.
"""

from __future__ import annotations

from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.wire.session_pb2 import Envelope, WebSocketMessage, WebSocketRequestMessage

M = TypeVar("M", bound=Message)

SOURCE_DEVICE: Final = 1  # Source: messages 2.2; libsession-util: src/session_protocol.cpp
PRO_SIGNATURE_BYTES: Final = 64  # Source: messages 2.2


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


def unwrap(stored: bytes) -> tuple[int, bytes]:
    """Take the wrapper off a stored direct message, current or older form. Keys are not needed.

    Returns:
        The envelope's time in ms (the sender's clock, not authenticated) and the sealed box, not empty.

    Raises:
        RemoteProtocolError: not a direct message in its wrapper.
    Source: messages 2.2.
    """
    outer = decode(WebSocketMessage, stored)
    if outer.type != WebSocketMessage.REQUEST or not outer.request.body:
        raise RemoteProtocolError("not a stored message: no request with a body")
    envelope = decode(Envelope, outer.request.body)
    if envelope.type != Envelope.SESSION_MESSAGE:
        raise RemoteProtocolError("not the envelope of a direct message")
    if not envelope.content:
        raise RemoteProtocolError("an envelope without content")
    return envelope.timestamp, envelope.content
