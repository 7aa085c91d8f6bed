"""From shared secrets to the key and nonce of one message (protocol-v2 7.1, 7.4).

    with forward secrecy   ss = SHA3-256(ML-KEM secret ‖ DH(e, X) ‖ E ‖ X ‖ label)         (X-Wing's combiner)
    without                ss = SHA3-256(DH(e, R) ‖ R ‖ E ‖ "SessionV2NonPFS")
    both                   key (32) ‖ nonce (24) = SHAKE256(domain ‖ ss)

X is the recipient's account key, R its long-term key, E the message's ephemeral one. The nonce is never sent.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

LABEL: Final = bytes.fromhex("5c2e2f2f5e5c")  # Source: protocol-v2 7.1; draft-connolly-cfrg-xwing-kem
_KEY_DOMAIN: Final = b"SessionV2MessageSS"  # Source: protocol-v2 7.1
_FALLBACK_LABEL: Final = b"SessionV2NonPFS"  # Source: protocol-v2 7.4
_FALLBACK_KEY_DOMAIN: Final = b"SessionV2NonPFSSS"  # Source: protocol-v2 7.4


class MessageKey(NamedTuple):
    """What seals one message. Args: combined: the 32-byte `ss`; key: 32 bytes; nonce: 24 bytes."""

    combined: bytes
    key: bytes
    nonce: bytes


def pfs_key(kem_shared: bytes, x_shared: bytes, ephemeral: bytes, account_x: bytes) -> MessageKey:
    """Combine the two secrets shared with an account's keys. All arguments have 32 bytes."""
    return _key(_KEY_DOMAIN, hashlib.sha3_256(kem_shared + x_shared + ephemeral + account_x + LABEL).digest())


def fallback_key(x_shared: bytes, recipient_x: bytes, ephemeral: bytes) -> MessageKey:
    """Give the key of a message to an account's long-term key alone. All arguments have 32 bytes."""
    combined = hashlib.sha3_256(x_shared + recipient_x + ephemeral + _FALLBACK_LABEL).digest()
    return _key(_FALLBACK_KEY_DOMAIN, combined)


def _key(domain: bytes, combined: bytes) -> MessageKey:
    expanded = hashlib.shake_256(domain + combined).digest(56)
    return MessageKey(combined, expanded[:32], expanded[32:])
