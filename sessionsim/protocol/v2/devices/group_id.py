"""Which device group a message belongs to, for those who hold the account seed (protocol-v2 8.2).

    group id (8) = minute of creation (4, little-endian) ‖ random (4)

An account can have several groups: after a restore that found no device to ask, say. The id stands in each
message encrypted under the account seed, with a nonce from that message's ephemeral key, so to others it is
never the same twice. It authenticates nothing. Source: libsession-util: src/core/devices.cpp (new_group_id,
crypt_group_id).
"""

from __future__ import annotations

import hashlib
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_MIN
from sessionsim.protocol.crypto import xchacha

GROUP_ID_BYTES: Final = 8  # Source: protocol-v2 2
RANDOM_BYTES: Final = 4  # Source: protocol-v2 2
_KEY_PERSON: Final = b"SessionDvGrpID_K"  # Source: protocol-v2 8.2
_NONCE_PERSON: Final = b"SessionDvGrpID_N"  # Source: protocol-v2 8.2


def new_group_id(now_us: int, random4: bytes) -> bytes:
    """Make an id. Args: now_us: unix µs. Raises LocalProtocolError: not 4 random bytes."""
    if len(random4) != RANDOM_BYTES:
        raise LocalProtocolError(f"a group id takes {RANDOM_BYTES} random bytes")
    return (now_us // US_PER_MIN & 0xFFFFFFFF).to_bytes(4, "little") + random4


def created_minute(group_id: bytes) -> int:
    """Give when a group was made, in minutes of unix time."""
    return int.from_bytes(group_id[:4], "little")


def crypt_group_id(group_id: bytes, ephemeral: bytes, root_seed: bytes) -> bytes:
    """Encrypt or decrypt an id, which is the same.

    Args:
        ephemeral: the message's ephemeral X25519 key.
        root_seed: the account's Ed25519 seed.
    """
    key = hashlib.blake2b(root_seed, digest_size=32, person=_KEY_PERSON).digest()
    nonce = hashlib.blake2b(ephemeral, digest_size=24, person=_NONCE_PERSON).digest()
    return xchacha.xor(group_id, nonce, key)
