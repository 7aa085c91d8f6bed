"""What if configs were protected as direct messages are: keys of configs from the account's seeds (hole H9).

The public design leaves configs as they are: encrypted with the account's seed, which is the recovery phrase.
Here each seed that the device group shares gives a key of its own. The active one encrypts, all that are
kept open, so that whoever has no device of the group (the words alone, a device that was removed) reads
nothing of what is written from then on, and what was written is out of reach once its seed is forgotten.
That is our own choice; no source says how it would be done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.v2.keys import SEED_BYTES
from sessionsim.protocol.v2.seed_ring import AccountSeed

_PERSON: Final = b"SessionCfgDevGrp"  # Assumption: ours, in the manner of protocol-v2 8.2
_KEY_BYTES: Final = 32  # Source: messages 5.4


def config_key(seed: bytes) -> bytes:
    """Give the key of configs, 32 bytes, of an account's seed. Raises LocalProtocolError: not 32 bytes."""
    if len(seed) != SEED_BYTES:
        raise LocalProtocolError(f"a seed of V2 has {SEED_BYTES} bytes, not {len(seed)}")
    return hashlib.blake2b(seed, digest_size=_KEY_BYTES, person=_PERSON).digest()


def config_keys(seeds: Iterable[AccountSeed]) -> tuple[bytes, ...]:
    """Give the keys of an account's seeds, in their order: the active one encrypts."""
    return tuple(config_key(held.seed) for held in seeds)
