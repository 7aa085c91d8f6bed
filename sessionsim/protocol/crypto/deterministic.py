"""Bytes that look random and follow from a seed: libsodium's `randombytes_buf_deterministic`.

The key stream of ChaCha20 (IETF) under the seed, nonce "LibsodiumDRG", counter 0. Group keys messages fill
their unused slots with it, so that two admins write the same bytes. Source: messages 4.2; libsodium:
randombytes.c.
"""

from __future__ import annotations

from typing import Final

from nacl import bindings

from sessionsim.core.errors import LocalProtocolError

SEED_BYTES: Final = 32  # Source: libsodium, randombytes_SEEDBYTES


def stretch(seed: bytes, size_bytes: int) -> bytes:
    """Give so many bytes for a seed.

    Raises:
        LocalProtocolError: the seed has not 32 bytes.
    """
    if len(seed) != SEED_BYTES:
        raise LocalProtocolError(f"a seed of deterministic bytes has 32 bytes, not {len(seed)}")
    return bindings.randombytes_buf_deterministic(size_bytes, seed)
