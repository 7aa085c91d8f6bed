"""Authenticated encryption with a given key and nonce: XChaCha20-Poly1305 (IETF), no associated data.

Onion layers have their own classes (`layer`); this is for what is stored: configs, group messages and keys,
blinded messages, push payloads. Source: messages 0.
"""

from __future__ import annotations

from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from sessionsim.core.errors import CannotOpen

NONCE_BYTES: Final = 24  # Source: messages 0
KEY_BYTES: Final = 32  # Source: messages 0
TAG_BYTES: Final = 16  # Source: messages 0


def seal(plaintext: bytes, nonce24: bytes, key32: bytes) -> bytes:
    """Encrypt; 16 bytes longer than the plaintext."""
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, None, nonce24, key32)


def unseal(ciphertext: bytes, nonce24: bytes, key32: bytes) -> bytes:
    """Decrypt. Raises CannotOpen: wrong key, altered, or a length that cannot be."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, None, nonce24, key32)
    except (CryptoError, ValueError, TypeError) as wrong:
        raise CannotOpen("ciphertext does not open") from wrong
