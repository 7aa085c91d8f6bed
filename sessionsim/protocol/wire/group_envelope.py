"""The envelope inside a group message (messages 4.3).

The reverse of a direct message: there the content of the envelope is encrypted and the envelope is open to
the storing node, here the content is plain and the envelope as a whole is encrypted. The Content is not
padded; the group message is, around the envelope.
"""

from __future__ import annotations

from typing import NamedTuple

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.wire.envelope import PRO_SIGNATURE_BYTES, SOURCE_DEVICE, decode
from sessionsim.protocol.wire.session_pb2 import Envelope


class GroupEnvelope(NamedTuple):
    """What stands in an envelope of a group.

    Args:
        content: the Content, not padded.
        sent_ms: the sender's clock, unix ms; the trusted time is the one in the Content.
        pro_signature: 64 bytes, a decoy without Pro; empty from clients that wrote none.
    """

    content: bytes
    sent_ms: int
    pro_signature: bytes


def wrap_group(content: bytes, sent_ms: int, pro_signature: bytes) -> bytes:
    """Write an envelope: type 7, time, device 1, content, signature.

    Args:
        pro_signature: 64 bytes, made with the Pro key over `content`, or a decoy.

    Raises:
        LocalProtocolError: the time is negative or beyond 64 bits, or the signature is not 64 bytes.
    Source: messages 2.2, 4.3; libsession-util: src/session_protocol.cpp.
    """
    if len(pro_signature) != PRO_SIGNATURE_BYTES:
        raise LocalProtocolError(f"a Pro signature has 64 bytes, not {len(pro_signature)}")
    try:
        return Envelope(
            type=Envelope.CLOSED_GROUP_MESSAGE,
            timestamp=sent_ms,
            sourceDevice=SOURCE_DEVICE,
            content=content,
            proSig=pro_signature,
        ).SerializeToString()
    except ValueError as wrong:
        raise LocalProtocolError(f"a time of {sent_ms} ms cannot be written") from wrong


def unwrap_group(raw: bytes) -> GroupEnvelope:
    """Read an envelope. Its type is not looked at: the namespace says what it is, as for current clients.

    Raises:
        RemoteProtocolError: no envelope with content, or a signature that is not 64 bytes.
    Source: messages 4.3; libsession-util: src/session_protocol.cpp (decode_envelope).
    """
    envelope = decode(Envelope, raw)
    if not envelope.HasField("content"):
        raise RemoteProtocolError("an envelope without content")
    if envelope.HasField("proSig") and len(envelope.proSig) != PRO_SIGNATURE_BYTES:
        raise RemoteProtocolError("a Pro signature has 64 bytes")
    return GroupEnvelope(envelope.content, envelope.timestamp, envelope.proSig)
