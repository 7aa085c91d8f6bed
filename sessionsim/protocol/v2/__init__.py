"""Protocol V2 as publicly specified: hybrid keys that change twice a day, for direct messages (protocol-v2).

Reading on its own terms: `rules` (what the design leaves open), `keys`, `seed_ring`, `rotation`; the public
record of an account, `account_record`, and a sender's knowledge of others', `key_cache`; a message's parts
`indicator`, `combiner`, `inner`, its whole `message`, and `receiving`. What the devices of an account share
is in `devices`. `versions.v2` is what a client uses.
"""

from __future__ import annotations

from sessionsim.protocol.v2.account_record import read_record, write_record
from sessionsim.protocol.v2.key_cache import KeyCache, KeyState, Plan
from sessionsim.protocol.v2.keys import HybridKeys, PublicKeys, account_keys, device_keys
from sessionsim.protocol.v2.message import message_bytes, seal, seal_fallback
from sessionsim.protocol.v2.receiving import Opened, open_message, version_of
from sessionsim.protocol.v2.rules import HOLES, LABEL, SWEEPS, V2Rules
from sessionsim.protocol.v2.seed_ring import AccountSeed, SeedRing

__all__ = [
    "HOLES",
    "LABEL",
    "SWEEPS",
    "AccountSeed",
    "HybridKeys",
    "KeyCache",
    "KeyState",
    "Opened",
    "Plan",
    "PublicKeys",
    "SeedRing",
    "V2Rules",
    "account_keys",
    "device_keys",
    "message_bytes",
    "open_message",
    "read_record",
    "seal",
    "seal_fallback",
    "version_of",
    "write_record",
]
