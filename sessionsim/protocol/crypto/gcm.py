"""AES-256-GCM with a given key and nonce, no associated data: legacy profile pictures (messages 6.1).

Onion layers have their own class (`layer`), whose key comes from a key agreement.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sessionsim.core.errors import CannotOpen, LocalProtocolError

NONCE_BYTES: Final = 12  # Source: messages 6.1
KEY_BYTES: Final = 32  # Source: messages 6.1
TAG_BYTES: Final = 16  # Source: messages 6.1


def seal(plaintext: bytes, nonce12: bytes, key32: bytes) -> bytes:
    """Encrypt; 16 bytes longer than the plaintext. Raises LocalProtocolError: a wrong length."""
    if len(nonce12) != NONCE_BYTES or len(key32) != KEY_BYTES:
        raise LocalProtocolError("AES-256-GCM takes a nonce of 12 and a key of 32 bytes")
    return AESGCM(key32).encrypt(nonce12, plaintext, None)


def unseal(ciphertext: bytes, nonce12: bytes, key32: bytes) -> bytes:
    """Decrypt. Raises CannotOpen: wrong key, altered, or a length that cannot be."""
    if len(nonce12) != NONCE_BYTES or len(key32) != KEY_BYTES:
        raise CannotOpen("a key or nonce of wrong length")
    try:
        return AESGCM(key32).decrypt(nonce12, ciphertext, None)
    except (InvalidTag, ValueError) as wrong:
        raise CannotOpen("ciphertext does not open") from wrong
