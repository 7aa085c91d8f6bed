"""Argon2id: a hash that costs time and memory on purpose (RFC 9106), by libsodium."""

from __future__ import annotations

from typing import Final

from nacl import bindings

from sessionsim.core.errors import LocalProtocolError

SALT_BYTES: Final = 16  # Source: libsodium, crypto_pwhash_SALTBYTES


def argon2id(text: bytes, salt16: bytes, size_bytes: int, *, passes: int, memory_bytes: int) -> bytes:
    """Hash a text slowly.

    Args:
        text: any bytes.
        salt16: 16 bytes.
        size_bytes: length of the result, 16 or more.
        passes, memory_bytes: what it costs; 2 passes over 16 MiB take some 20 ms.

    Raises:
        LocalProtocolError: a salt of another length, or costs that Argon2id does not have.
    """
    if len(salt16) != SALT_BYTES:
        raise LocalProtocolError(f"a salt of Argon2id has {SALT_BYTES} bytes, not {len(salt16)}")
    try:
        return bytes(
            bindings.crypto_pwhash_alg(
                size_bytes, text, salt16, passes, memory_bytes, bindings.crypto_pwhash_ALG_ARGON2ID13
            )
        )
    except (ValueError, TypeError, RuntimeError) as wrong:
        raise LocalProtocolError(f"no Argon2id of {passes} passes and {memory_bytes} bytes") from wrong
