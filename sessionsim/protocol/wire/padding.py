"""Padding of a Content before it is encrypted: 0x80, then zeros, to a multiple of 160 (messages 2.1).

Two rules are in the field. The current one has a quirk: it adds 1..160 zeros where 0..159 would do, so a
Content of 159 bytes becomes 320 bytes and not 160. The old one ends one byte short of the multiple: 159,
319, 479 … What the swarm and every node on the way can learn from a size is decided here.
"""

from __future__ import annotations

from typing import Final

BLOCK_BYTES: Final = 160  # Source: messages 2.1; libsession-util: src/session_protocol.cpp
_MARK: Final = b"\x80"
_ZEROS: Final = bytes(BLOCK_BYTES)


def padded_bytes(content_bytes: int) -> int:
    """Give the padded length of a Content under the current rule, in bytes.

    Source: messages 2.1; libsession-util: src/session_protocol.cpp (encode_for_1o1).
    """
    return BLOCK_BYTES * ((content_bytes + 1) // BLOCK_BYTES + 1)


def padded_bytes_old(content_bytes: int) -> int:
    """Give the padded length of a Content under the rule before libsession, in bytes.

    Source: messages 2.1; session-desktop: ts/session/crypto/BufferPadding.ts before commit cb8d9a7a.
    """
    return -(-(content_bytes + 2) // BLOCK_BYTES) * BLOCK_BYTES - 1


def pad(content: bytes) -> bytes:
    """Pad as all current clients do. Source: see `padded_bytes`."""
    return content + _MARK + _ZEROS[(len(content) + 1) % BLOCK_BYTES :]


def pad_old(content: bytes) -> bytes:
    """Pad as clients did before libsession. Source: see `padded_bytes_old`."""
    return (content + _MARK).ljust(padded_bytes_old(len(content)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Take off either padding. Bytes that do not end in 0x80 and zeros come back unchanged; never an error.

    The code of libsession also takes the zeros off where no 0x80 stands before them, against its own comment;
    that differs only for a Content without padding that ends in a zero byte.

    Source: messages 2.1 (tolerant form of current code).
    """
    stripped = padded.rstrip(b"\0")
    return stripped[:-1] if stripped.endswith(_MARK) else padded
