"""Profile pictures as clients encrypted them before the deterministic scheme (messages 6.1).

    blob = nonce(12) ‖ AES-256-GCM(picture) with its tag(16)

Without padding, so the server learns the exact size of the picture. The key of 32 bytes is the profile key
that an account hands to its contacts.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import gcm

OVERHEAD_BYTES: Final = gcm.NONCE_BYTES + gcm.TAG_BYTES  # Source: messages 6.1


def seal_picture(picture: bytes, key32: bytes, nonce12: bytes) -> bytes:
    """Encrypt a picture; 28 bytes longer than it.

    Args:
        key32, nonce12: random; the nonce never used before with this key.

    Raises:
        LocalProtocolError: a key or nonce of wrong length.
    Source: messages 6.1.
    """
    return nonce12 + gcm.seal(picture, nonce12, key32)


def open_picture(blob: bytes, key32: bytes) -> bytes:
    """Decrypt a picture. Raises CannotOpen: too short, wrong key, or altered. Source: messages 6.1."""
    if len(blob) < OVERHEAD_BYTES:
        raise CannotOpen("too short for an encrypted picture")
    return gcm.unseal(blob[gcm.NONCE_BYTES :], blob[: gcm.NONCE_BYTES], key32)
