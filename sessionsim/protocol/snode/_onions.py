"""Onion layers that the fast path does not take: of any spelling, and in the old cipher (transport 3.5)."""

from __future__ import annotations

from typing import Any

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.crypto.layer import AES_CBC, ENC_TYPES
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.wire.onion import (
    claimed_hop,
    decode_client_request,
    decode_hop,
    encode_hop,
    open_request,
)
from sessionsim.protocol.wire.onion_relay import OpenedLayer


def open_slowly(
    suite: Suite, x: KeyPair, payload: bytes, from_client: bool, hops_max: int, *, legacy: bool
) -> OpenedLayer:
    """Open a layer of any shape.

    Args:
        suite, x: cryptography, and the X25519 pair of the node.
        payload: what arrived.
        from_client: it came from a client, as JSON; otherwise from a node, as bencode.
        hops_max: highest hop counter that is taken.
        legacy: take aes-cbc too.

    Raises:
        CannotOpen: the layer does not open.
        RemoteProtocolError: anything else, with the text of the answer.
    """
    hop = claimed = 0
    try:
        if from_client:
            ciphertext, ephemeral, enc_type = decode_client_request(payload)
            claimed = claimed_hop(payload)
        else:
            ciphertext, ephemeral, enc_type, hop = decode_hop(payload)
    except RemoteProtocolError as wrong:
        what = "Error parsing" if from_client else "Invalid internal"
        raise RemoteProtocolError(f"{what} onion request: {wrong}") from wrong
    if hop > hops_max:
        raise RemoteProtocolError("onion request max path length exceeded")
    opened = open_request(suite, x, ephemeral, enc_type, ciphertext, legacy=legacy)
    # What a client claims is counted on, and only the next node holds it to the limit.
    return *opened, ephemeral, hop or claimed


def message_of(inner: tuple[Any, ...], hop: int, *, legacy: bool) -> bytes | None:
    """Write what goes to the next node; None if it names a cipher that nobody knows."""
    _kind, blob, next_ephemeral, next_type, _destination = inner
    cipher = ENC_TYPES.get(next_type)
    if cipher is None and next_type == AES_CBC and legacy:
        cipher = AES_CBC
    return None if cipher is None else encode_hop(blob, next_ephemeral, cipher, hop + 1)
