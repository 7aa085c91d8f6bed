"""The protobuf around an account's configs, which older clients expect (messages 5.5).

    WebSocketMessage { Request { Envelope { box to oneself of Content { SharedConfigMessage } ‖ 0x80 } } }

The config inside is encrypted already; the box adds nothing but its form. It is made without chance, so that
two devices still store the same bytes, and the envelope's time is always 1, which tells a config from a
direct message even without its namespace. One client release wrapped twice, so two wrappers are taken off.
Source: libsession-util: src/config/protos.cpp, src/config/base.cpp (merge).
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs.kinds import Kind
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.versions.v1 import decrypt, encrypt_deterministic
from sessionsim.protocol.wire.envelope import DIRECT, body_of, decode, write_envelope
from sessionsim.protocol.wire.session_pb2 import (
    Content,
    Envelope,
    SharedConfigMessage,
    WebSocketMessage,
    WebSocketRequestMessage,
)

ENVELOPE_MS: Final = 1  # Source: messages 5.5; older clients require a time above 0
_MARK: Final = b"\x80"


def wrap(suite: Suite, owner: Account, kind: Kind, seqno: int, ciphertext: bytes) -> bytes:
    """Wrap an encrypted config for storage; 176 bytes longer for the smallest.

    Args:
        owner: whose config it is; sender and recipient of the box.
        seqno: written beside the config, inside the box.

    Raises:
        LocalProtocolError: a group's config, or a seqno beyond 64 bits.
    """
    if kind.of_group:
        raise LocalProtocolError("a group's config is not wrapped")
    try:
        shared = SharedConfigMessage(kind=kind.wrapped_kind, seqno=seqno, data=ciphertext)
    except ValueError as wrong:
        raise LocalProtocolError(f"a seqno of {seqno} cannot be written") from wrong
    content = Content(sharedConfigMessage=shared).SerializeToString()
    sealed = encrypt_deterministic(suite, owner, owner.x.public, content + _MARK)
    envelope = write_envelope(DIRECT, sealed, ENVELOPE_MS, source_device=None)
    request = WebSocketRequestMessage(verb="", path="", body=envelope, requestId=0)
    return WebSocketMessage(type=WebSocketMessage.REQUEST, request=request).SerializeToString()


def unwrap(suite: Suite, owner: Account, kind: Kind, stored: bytes) -> tuple[int, bytes]:
    """Take one wrapper off.

    Returns:
        The seqno written in it, and the encrypted config.

    Raises:
        CannotOpen: not sealed by and for this account.
        RemoteProtocolError: anything else that is not such a wrapper around this kind of config.
    """
    sender, padded = decrypt(suite, owner.x, decode(Envelope, body_of(stored)).content)
    if sender != owner.ed.public:
        raise CannotOpen("a config wrapped by another account")
    content = padded.rstrip(b"\0")
    if not content.endswith(_MARK):
        raise RemoteProtocolError("a wrapped config without its padding")
    inside = decode(Content, content[:-1])
    if not inside.HasField("sharedConfigMessage"):
        raise RemoteProtocolError("a wrapper without a config")
    shared = inside.sharedConfigMessage
    if shared.kind != kind.wrapped_kind:
        raise RemoteProtocolError("a wrapper around another kind of config")
    return shared.seqno, shared.data


def unwrapped(suite: Suite, owner: Account, kind: Kind, stored: bytes) -> bytes:
    """Take off as many wrappers as there are, at most two; what has none is returned as it is."""
    for _ in range(2):
        try:
            _, stored = unwrap(suite, owner, kind, stored)
        except RemoteProtocolError:
            break
    return stored
