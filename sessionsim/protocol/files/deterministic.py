"""Deterministic encryption of files: same uploader and same bytes give the same blob (messages 6.2).

    header(24) ‖ key(32) = BLAKE2b-56(file; key = uploader's seed, person = purpose)
    blob = 'S' ‖ header ‖ secretstream chunks of (zeros ‖ 01 ‖ file), 32768 bytes each

So a server keeps one copy of what an account uploads twice, and recognises it; blobs of different accounts
have nothing in common. Zeros in front bring the blob to a step of 4096 bytes up to 256 KiB, above that to
1/32 to 1/64 of its size. Profile pictures use another personalisation, so the same bytes give another blob.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final, NamedTuple

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError
from sessionsim.protocol.crypto.secretstream import (
    HEADER_BYTES,
    KEY_BYTES,
    OVERHEAD_BYTES,
    StreamReader,
    StreamWriter,
)

SEED_BYTES: Final = 32  # Source: messages 6.2
CHUNK_BYTES: Final = 32_768  # Source: messages 6.2; libsession-util: include/session/attachments.hpp
# The largest file; its blob, 10 223 616 bytes, is the largest a server takes. Source: messages 6.2.
MAX_BYTES: Final = 10_218_286
_SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + OVERHEAD_BYTES
_KIND: Final = b"S"  # Source: messages 6.2; other first bytes are kept for other schemes
_HEAD_BYTES: Final = len(_KIND) + HEADER_BYTES
_LEAST_STEPPED_BYTES: Final = 131_072  # Source: messages 6.2; below it the step is that of this size
_STEP_SHIFT: Final = 5  # Source: messages 6.2; a step is 1/32 of the power of two below
_MARK: Final = b"\x01"  # ends the padding. Source: messages 6.2


class Purpose(Enum):
    """What a file is for; its value is the personalisation. Source: messages 6.2."""

    ATTACHMENT = b"SessionAttachmnt"
    PROFILE_PICTURE = b"Session_Prof_Pic"


class SealedFile(NamedTuple):
    """An encrypted file. Args: blob: what is uploaded; key: 32 bytes that open it."""

    blob: bytes
    key: bytes


def padding_bytes(size_bytes: int) -> int:
    """Give the padding in front of a file of so many bytes, at least 1.

    Source: messages 6.2; libsession-util: src/attachments.cpp (encrypted_padding).
    """
    chunks = -(-size_bytes // CHUNK_BYTES)
    least = size_bytes + _HEAD_BYTES + len(_MARK) + OVERHEAD_BYTES * chunks
    step = (1 << max(least, _LEAST_STEPPED_BYTES).bit_length() - 1) >> _STEP_SHIFT
    padding = -(-least // step) * step - least + len(_MARK)
    # Padding that fills chunks of its own, or spills into a further one, brings tags along; they count as
    # padding.
    tags = padding // _SEALED_CHUNK_BYTES
    if padding % _SEALED_CHUNK_BYTES > chunks * CHUNK_BYTES - size_bytes:
        tags += 1
    return padding - tags * OVERHEAD_BYTES


def sealed_bytes(size_bytes: int) -> int:
    """Give the length of the blob of a file of so many bytes. Source: as `padding_bytes`."""
    padded = size_bytes + padding_bytes(size_bytes)
    return _HEAD_BYTES + padded + OVERHEAD_BYTES * -(-padded // CHUNK_BYTES)


def seal_file(content: bytes, seed32: bytes, purpose: Purpose, *, any_size: bool = False) -> SealedFile:
    """Encrypt a file.

    Args:
        content: the file; may be empty.
        seed32: the uploader's Ed25519 seed.
        any_size: allow more than `MAX_BYTES`, which cannot travel through onion requests.

    Raises:
        InvalidInput: the file is too large.
        LocalProtocolError: a seed of wrong length.
    Source: messages 6.2; libsession-util: src/attachments.cpp (encrypt).
    """
    if len(seed32) != SEED_BYTES:
        raise LocalProtocolError(f"a seed has 32 bytes, not {len(seed32)}")
    if len(content) > MAX_BYTES and not any_size:
        raise InvalidInput("file", f"{len(content)} bytes", f"at most {MAX_BYTES} bytes")
    drawn = hashlib.blake2b(
        content, digest_size=HEADER_BYTES + KEY_BYTES, key=seed32, person=purpose.value
    ).digest()
    header, key = drawn[:HEADER_BYTES], drawn[HEADER_BYTES:]
    padded = bytes(padding_bytes(len(content)) - len(_MARK)) + _MARK + content
    writer = StreamWriter(header, key)
    parts = [_KIND + header]
    for start in range(0, len(padded), CHUNK_BYTES):
        end = start + CHUNK_BYTES
        parts.append(writer.push(padded[start:end], final=end >= len(padded)))
    return SealedFile(b"".join(parts), key)


def open_file(blob: bytes, key32: bytes) -> bytes:
    """Decrypt a file.

    Args:
        blob: any bytes; the result is shorter than it.
        key32: from the pointer.

    Raises:
        CannotOpen: another scheme, too short, wrong key, altered, cut off or continued, a chunk after the
            final one, or padding that is not zeros and 01.
    Source: messages 6.2; libsession-util: src/attachments.cpp (decrypt).
    """
    if len(blob) <= _HEAD_BYTES + OVERHEAD_BYTES:
        raise CannotOpen("too short for an encrypted file")
    if not blob.startswith(_KIND):
        raise CannotOpen("a file encrypted in an unknown way")
    reader = StreamReader(blob[1:_HEAD_BYTES], key32)
    parts: list[bytes] = []
    in_padding, final = True, False
    at = _HEAD_BYTES
    while not final:
        # A chunk that would be empty is refused as well: no writer makes one.
        if at + OVERHEAD_BYTES >= len(blob):
            raise CannotOpen("a file cut off before its last chunk")
        plain, final = reader.pull(blob[at : at + _SEALED_CHUNK_BYTES])
        at += _SEALED_CHUNK_BYTES
        if in_padding:
            stripped = plain.lstrip(b"\0")
            if not stripped:
                continue
            if not stripped.startswith(_MARK):
                raise CannotOpen("a file with malformed padding")
            plain, in_padding = stripped[len(_MARK) :], False
        parts.append(plain)
    if at < len(blob):
        raise CannotOpen("a file with bytes after its last chunk")
    if in_padding:
        raise CannotOpen("a file that is all padding")
    return b"".join(parts)
