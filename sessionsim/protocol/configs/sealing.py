"""Padding and encryption of a config, both without any chance in them (messages 5.4).

    zeros ‖ message  ->  XChaCha20-Poly1305  ->  ciphertext ‖ tag ‖ nonce

Zeros stand in front, so that the stored length is a multiple of a step that grows with it: what a swarm
learns from a config's size is decided here. Key and nonce follow from the padded message, so that devices
that write the same version store the same bytes; equal ciphertexts tell everybody that the configs are equal.
Source: libsession-util: src/config/encrypt.cpp, include/session/config/encrypt.hpp.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto.aead import KEY_BYTES, NONCE_BYTES, TAG_BYTES, seal, unseal

OVERHEAD_BYTES: Final = NONCE_BYTES + TAG_BYTES  # Source: messages 5.4
# Sizes below the first number are rounded up to the second. Source: messages 5.4.
STEPS: Final = ((5120, 256), (20480, 1024), (40960, 2048))
LAST_STEP_BYTES: Final = 5120  # Source: messages 5.4
MAX_DOMAIN_BYTES: Final = 24  # Source: libsession-util: src/config/encrypt.cpp
_NONCE_KEY: Final = b"libsessionutil-config-encrypted-"  # Source: messages 5.4


def padded_bytes(message_bytes: int, overhead_bytes: int = OVERHEAD_BYTES) -> int:
    """Give the length of a message with its padding, so that the overhead on top reaches a full step."""
    size = message_bytes + overhead_bytes
    step = next((step for below, step in STEPS if size < below), LAST_STEP_BYTES)
    return -(-size // step) * step - overhead_bytes


def pad(message: bytes) -> bytes:
    """Put zeros in front of a message."""
    return message.rjust(padded_bytes(len(message)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Take all zeros off the front; no message starts with one."""
    return padded.lstrip(b"\0")


def encrypt(padded: bytes, key_base: bytes, domain: bytes) -> bytes:
    """Encrypt; 40 bytes longer than the padded message.

    Args:
        key_base: 32 bytes.
        domain: what kind of config it is, 1 to 24 bytes.

    Raises:
        LocalProtocolError: a key or domain of wrong length.
    """
    key = _key_of(key_base, len(padded), domain)
    nonce = hashlib.blake2b(padded, digest_size=NONCE_BYTES, key=_NONCE_KEY + domain).digest()
    return seal(padded, nonce, key) + nonce


def decrypt(ciphertext: bytes, key_base: bytes, domain: bytes) -> bytes:
    """Decrypt; the padding stays.

    Raises:
        CannotOpen: too short, another key or domain, or altered.
        LocalProtocolError: a key or domain of wrong length.
    """
    size = len(ciphertext) - OVERHEAD_BYTES
    if size < 0:
        raise CannotOpen("too short for a config")
    sealed, nonce = ciphertext[:-NONCE_BYTES], ciphertext[-NONCE_BYTES:]
    return unseal(sealed, nonce, _key_of(key_base, size, domain))


def decrypt_with_any(ciphertext: bytes, key_bases: Iterable[bytes], domain: bytes) -> bytes:
    """Decrypt with the first key that fits, as a group's member does with all keys it was given.

    Raises:
        CannotOpen: none fits.
    """
    for key_base in key_bases:
        try:
            return decrypt(ciphertext, key_base, domain)
        except CannotOpen:
            continue
    raise CannotOpen("no key opens this config")


def _key_of(key_base: bytes, padded_size: int, domain: bytes) -> bytes:
    if len(key_base) != KEY_BYTES or not 1 <= len(domain) <= MAX_DOMAIN_BYTES:
        raise LocalProtocolError("a config is encrypted with a key of 32 bytes and a domain of 1 to 24")
    return hashlib.blake2b(key_base + padded_size.to_bytes(8, "big") + domain, digest_size=KEY_BYTES).digest()
