"""Short authentication strings: positions in a table of 64 emoji that two people, or devices, compare (9).

128 bits, read as a little-endian number, give 21 positions of six bits, the lowest first. The table is that
of the Matrix client-server specification (SAS method: emoji); only positions are dealt with here. Link
requests show 7, or all 21 to the careful; device groups 4.
Source: libsession-util: src/core/link_sas.cpp, src/core/devices.cpp (GroupId::sas).
"""

from __future__ import annotations

import hashlib
from typing import Final

from sessionsim.protocol.crypto.argon2 import argon2id

LINK_SHOWN: Final = 7  # Source: protocol-v2 9
GROUP_SHOWN: Final = 4  # Source: protocol-v2 9
POSITIONS: Final = 21  # Source: protocol-v2 9
SEED_BYTES: Final = 16  # Source: protocol-v2 9
_LINK_PERSON: Final = b"SessionLinkEmoji"  # Source: protocol-v2 9
_GROUP_PERSON: Final = b"SessionDvGrp_SAS"  # Source: protocol-v2 9
_PASSES: Final = 2  # of Argon2id. Source: protocol-v2 2
_MEMORY_BYTES: Final = 16 * 1024 * 1024  # Source: protocol-v2 2


def link_salt(plaintext: bytes) -> bytes:
    """Give the salt that belongs to a link request's plaintext, 16 bytes."""
    return hashlib.blake2b(plaintext, digest_size=16, person=_LINK_PERSON).digest()


def link_seed(plaintext: bytes) -> bytes:
    """Give the 128 bits of a link request's plaintext. It takes some 30 ms, on purpose: a forger would have
    to find a request of its own with the same emoji while the person waits. Source: protocol-v2 9.
    """
    return argon2id(plaintext, link_salt(plaintext), SEED_BYTES, passes=_PASSES, memory_bytes=_MEMORY_BYTES)


def group_seed(group_id: bytes) -> bytes:
    """Give the 128 bits of a device group's id. No secret: anyone with the account seed can copy an id."""
    return hashlib.blake2b(group_id, digest_size=SEED_BYTES, person=_GROUP_PERSON).digest()


def positions(seed: bytes) -> tuple[int, ...]:
    """Give the 21 positions of 16 bytes."""
    bits = int.from_bytes(seed, "little")
    return tuple(bits >> 6 * place & 63 for place in range(POSITIONS))
