"""The keys that decoders of the table need, and what several of them do with text."""

from __future__ import annotations

import hashlib

from sessionsim.protocol.crypto import KeyPair, real, suite_named
from sessionsim.protocol.groups import KeyRing, group_from_seed, open_keys, rekey
from sessionsim.protocol.identity import account_from_seed

NOW_MS = 1_777_000_000_000  # unix time of everything in the table
NOW_S = NOW_MS // 1000

# Without memo: what is not computed is not tested.
SODIUM = suite_named("sodium", memo=False)
FAST = suite_named("fast", memo=False)
SUITES = {"sodium": SODIUM, "fast": FAST}

OWN, FRIEND, STRANGER = (account_from_seed(bytes([k]) * 16) for k in (1, 2, 3))
GROUP = group_from_seed(bytes([4]) * 32)
BACKEND = real.ed25519_keypair(bytes([5]) * 32)
SERVER_X = real.x25519_keypair(bytes([6]) * 32).public


def noise(name: str, size: int = 64) -> bytes:
    """Give bytes that look random and belong to a name."""
    return hashlib.shake_128(name.encode()).digest(size)


def x_pair(name: str) -> KeyPair:
    """Give an X25519 pair that belongs to a name."""
    return real.x25519_keypair(noise(name, 32))


def text_of(raw: bytes) -> str:
    """Take any bytes for text; what is no UTF-8 becomes half characters, which no encoder takes."""
    return raw.decode("utf-8", "surrogateescape")


# The group's first key, and a ring that has taken it.
REKEYED = rekey(SODIUM, GROUP, [OWN.id, FRIEND.id], 0)


def ring() -> KeyRing:
    """Give a new ring of the group with its first key."""
    made = KeyRing()
    made.take(open_keys(SODIUM, GROUP.id, OWN, REKEYED.message, NOW_MS), "A" * 43)
    return made
