"""Key indicators: two bytes that say which of a recipient's keys was used, to the recipient only (7.1).

    indicator on the wire = first two bytes of the key used XOR BLAKE2b-2(E ‖ S, key = DH(e, S))

S is the recipient's long-term X25519 key. Nothing authenticates it: a wrong one leads to a key that does not
open, or to none. Messages take the ML-KEM key's first bytes, link requests the X25519 key's.

How often a key fits that was not meant: a random indicator (a fallback) fits a given key with 1/65,536. The
first two bytes of an ML-KEM key are not evenly spread, though: 12 bits of a number below 3329 and 4 bits of
another. Two keys therefore agree with about 1/53,264, and a message under a key that is no longer held finds
a false candidate among 33 keys with 33/53,264, not 33/65,536 as protocol-v2 7.3 has it.
"""

from __future__ import annotations

import hashlib
from typing import Final

INDICATOR_BYTES: Final = 2  # Source: protocol-v2 2
MESSAGE_PERSON: Final = b"Session-Msg-KISS"  # Source: protocol-v2 7.1
LINK_PERSON: Final = b"SessionDvGrpKISS"  # Source: protocol-v2 9


def mask(shared: bytes, ephemeral: bytes, account_x: bytes, person: bytes) -> bytes:
    """Give the two bytes that hide an indicator.

    Args:
        shared: secret of the ephemeral and the account's long-term key.
        ephemeral, account_x: those keys.
        person: personalisation, by use.
    """
    return hashlib.blake2b(ephemeral + account_x, digest_size=2, key=shared, person=person).digest()


def masked(two: bytes, hidden_by: bytes) -> bytes:
    """Hide an indicator, or show it again."""
    return bytes((two[0] ^ hidden_by[0], two[1] ^ hidden_by[1]))
