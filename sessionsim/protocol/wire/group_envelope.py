"""The envelope inside a group message (messages 4.3).

The reverse of a direct message: there the content of the envelope is encrypted and the envelope is open to
the storing node, here the content is plain and the envelope as a whole is encrypted. The Content is not
padded; the group message is, around the envelope.
"""

from __future__ import annotations

from typing import NamedTuple

from sessionsim.protocol.wire.envelope import GROUP, read_envelope, write_envelope


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
    return write_envelope(GROUP, content, sent_ms, pro_signature=pro_signature)


def unwrap_group(raw: bytes) -> GroupEnvelope:
    """Read an envelope. Its type is not looked at: the namespace says what it is, as for current clients.

    Raises:
        RemoteProtocolError: see `read_envelope`.
    Source: messages 4.3; libsession-util: src/session_protocol.cpp (decode_envelope).
    """
    envelope = read_envelope(raw)
    return GroupEnvelope(envelope.content, envelope.sent_ms, envelope.pro_signature)
