"""BLAKE2b of a chosen length, with or without key (messages 0).

The length is a parameter of the hash: a shorter digest is not the beginning of a longer one. This is for
readers of a specification; hot paths call hashlib themselves.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sessionsim.core.errors import LocalProtocolError

SHORTEST: Final = 16  # bytes. Source: libsession-util: src/hash.cpp
LONGEST: Final = 64  # bytes, of digests and of keys. Source: RFC 7693 section 2.1


def blake2b(message: bytes, size_bytes: int, key: bytes = b"", *, person: bytes = b"") -> bytes:
    """Hash a message.

    Args:
        message: any length.
        size_bytes: length of the digest, 16 to 64 bytes.
        key: at most 64 bytes; empty is the same as none.
        person: personalisation, at most 16 bytes.

    Raises:
        LocalProtocolError: a length outside these bounds.
    Source: messages 0; libsession-util: src/hash.cpp.
    """
    if not SHORTEST <= size_bytes <= LONGEST or len(key) > LONGEST or len(person) > 16:
        raise LocalProtocolError(f"no BLAKE2b of {size_bytes} bytes with a key of {len(key)} bytes")
    return hashlib.blake2b(message, digest_size=size_bytes, key=key, person=person).digest()
