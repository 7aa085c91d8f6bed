"""Telling a removed device that it is out, though it can no longer read the payload (protocol-v2 8.2).

    entry = BLAKE2b-16(account seed ‖ device id, key = the message's ephemeral key)

The list is filled up to a multiple of four with random entries and shuffled. Whoever has the account seed
and knows a device id can look for it; to others entries are random and never the same twice. Devices that
left are not listed. Source: libsession-util: src/core/devices.cpp (kicked_entry, _names_us_kicked).
"""

from __future__ import annotations

import hashlib
from typing import Final

ENTRY_BYTES: Final = 16  # Source: protocol-v2 2
_PERSON: Final = b"SessionDevKicked"  # Source: protocol-v2 8.2


def kicked_entry(ephemeral: bytes, root_seed: bytes, device_id: bytes) -> bytes:
    """Give a removed device's entry in a message with that ephemeral key."""
    return hashlib.blake2b(
        root_seed + device_id, digest_size=ENTRY_BYTES, key=ephemeral, person=_PERSON
    ).digest()


def names(packed: bytes, entry: bytes) -> bool:
    """Say whether a packed list holds an entry; a list of a length that cannot be holds none."""
    if len(packed) % ENTRY_BYTES:
        return False
    return entry in (packed[at : at + ENTRY_BYTES] for at in range(0, len(packed), ENTRY_BYTES))
