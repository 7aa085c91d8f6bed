"""Attachments as clients encrypted them before the deterministic scheme (messages 6.1).

    padded = file ‖ zeros up to the next power of 1.05, from 541 to 10 000 000 bytes
    blob   = iv(16) ‖ AES-256-CBC(padded) ‖ HMAC-SHA256(iv ‖ ciphertext)

The key of 64 bytes (AES ‖ HMAC) and the SHA-256 of the blob travel in the pointer, with the file's true size,
by which the reader cuts the padding off. Everything is drawn anew for each upload, so a server sees the
5 % size class and nothing that repeats.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError
from sessionsim.protocol.crypto import cbc

KEY_BYTES: Final = 64  # AES key 32, HMAC key 32. Source: messages 6.1
DIGEST_BYTES: Final = 32  # Source: messages 6.1, SHA-256
MAX_BYTES: Final = 10_000_000  # Source: messages 6.1, 6.3; session-desktop: ts/session/constants.ts
_FLOOR_BYTES: Final = 541  # Source: messages 6.1; session-desktop: ts/session/crypto/BufferPadding.ts
_BASE: Final = 1.05  # Source: messages 6.1
_MAC_BYTES: Final = 32  # Source: messages 6.1


class LegacyBlob(NamedTuple):
    """An encrypted attachment. Args: blob: what is uploaded; digest: its SHA-256, for the pointer."""

    blob: bytes
    digest: bytes


def padded_bytes(size_bytes: int) -> int:
    """Give the padded length of a file, in bytes.

    The power is computed in floating point as in the clients; where the last bit of their libraries differs,
    so may the step by one byte (messages 6.1 names that doubt).

    Source: messages 6.1; session-desktop: ts/session/crypto/BufferPadding.ts (addAttachmentPadding).
    """
    if size_bytes <= _FLOOR_BYTES:
        return _FLOOR_BYTES
    step = math.floor(_BASE ** math.ceil(math.log(size_bytes) / math.log(_BASE)))
    return max(size_bytes, min(step, MAX_BYTES))


def sealed_bytes(size_bytes: int) -> int:
    """Give the length of the blob of a file of so many bytes. Source: messages 6.1."""
    blocks = padded_bytes(size_bytes) // cbc.BLOCK_BYTES + 1
    return cbc.IV_BYTES + blocks * cbc.BLOCK_BYTES + _MAC_BYTES


def seal_attachment(content: bytes, key64: bytes, iv16: bytes) -> LegacyBlob:
    """Encrypt a file.

    Args:
        content: the file.
        key64, iv16: random, never used before.

    Raises:
        InvalidInput: the file is longer than 10 000 000 bytes.
        LocalProtocolError: a key or iv of wrong length.
    Source: messages 6.1; session-desktop: ts/util/crypto/attachmentsEncrypter.ts.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput("attachment", f"{len(content)} bytes", f"at most {MAX_BYTES} bytes")
    if len(key64) != KEY_BYTES:
        raise LocalProtocolError(f"an attachment key has 64 bytes, not {len(key64)}")
    padded = content.ljust(padded_bytes(len(content)), b"\0")
    body = iv16 + cbc.encrypt(padded, iv16, key64[: cbc.KEY_BYTES])
    blob = body + hmac.digest(key64[cbc.KEY_BYTES :], body, "sha256")
    return LegacyBlob(blob, hashlib.sha256(blob).digest())


def open_attachment(blob: bytes, key64: bytes, digest: bytes, size_bytes: int) -> bytes:
    """Check and decrypt a file.

    Args:
        blob: any bytes.
        key64, digest: from the pointer.
        size_bytes: the true size, from the pointer; what comes behind it is padding, whatever it holds.

    Raises:
        CannotOpen: a key or blob of impossible length, wrong MAC, missing or wrong digest, or less content
            than the pointer says.
    Source: messages 6.1; session-desktop: ts/util/crypto/attachmentsEncrypter.ts, BufferPadding.ts
        (getUnpaddedAttachment).
    """
    if len(key64) != KEY_BYTES:
        raise CannotOpen("an attachment key of wrong length")
    if len(blob) < cbc.IV_BYTES + _MAC_BYTES:
        raise CannotOpen("too short for an encrypted attachment")
    body, mac = blob[:-_MAC_BYTES], blob[-_MAC_BYTES:]
    if not hmac.compare_digest(hmac.digest(key64[cbc.KEY_BYTES :], body, "sha256"), mac):
        raise CannotOpen("an attachment with a wrong MAC")
    if not hmac.compare_digest(hashlib.sha256(blob).digest(), digest):
        raise CannotOpen("an attachment with a wrong digest")
    padded = cbc.decrypt(body[cbc.IV_BYTES :], body[: cbc.IV_BYTES], key64[: cbc.KEY_BYTES])
    if not 0 <= size_bytes <= len(padded):
        raise CannotOpen("an attachment shorter than its pointer says")
    return padded[:size_bytes]
