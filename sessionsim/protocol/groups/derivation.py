"""Keys that follow from a group's seed (messages 4.2, 4.4).

    H2 = BLAKE2b-32(seed; key "SessionGroupKeySeed")
    H1 = BLAKE2b-56(member ids in hex, ascending ‖ generation in decimal ‖ H2; key "SessionGroupKeyGen")
    group key = H1[0:32], nonce = H1[32:56]

Nothing here is random: two admins who make the next key for the same members make the same one, and so the
same message, which the swarm keeps once. What others can read of a group hangs on the seed alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import aead
from sessionsim.protocol.crypto.deterministic import stretch
from sessionsim.protocol.groups.identity import Group
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES

# Keys of the hashes. Source of all: messages 4.2, 4.4; libsession-util: src/config/groups/keys.cpp.
_SEED_KEY: Final = b"SessionGroupKeySeed"
_GENERATION_KEY: Final = b"SessionGroupKeyGen"
_ADMIN_KEY: Final = b"SessionGroupKeyAdminKey"
_JUNK_KEY: Final = b"SessionGroupJunkMembers"
_MASK_KEY: Final = b"SessionGroupSubaccountMask"

SLOT_BYTES: Final = aead.KEY_BYTES + aead.TAG_BYTES  # one key encrypted for one reader


class FreshKey(NamedTuple):
    """A group key as an admin derives it. Args: digest: H1, 56 bytes, from which the other two are cut."""

    key: bytes
    nonce: bytes
    digest: bytes


def fresh_key(group: Group, member_ids: Iterable[bytes], generation: int) -> FreshKey:
    """Derive the key of a generation.

    Args:
        member_ids: account ids (33 bytes) of everyone who shall read, admins too; order does not matter.
        generation: 0 for the first key, one more for every further one.

    Raises:
        LocalProtocolError: an id that is no account id, or a negative generation.
    """
    if generation < 0:
        raise LocalProtocolError(f"a key has no generation {generation}")
    text = b"%b%d%b" % (ids_in_hex(sorted(set(member_ids))), generation, _seed_hash(group, _SEED_KEY))
    digest = hashlib.blake2b(
        text, digest_size=aead.KEY_BYTES + aead.NONCE_BYTES, key=_GENERATION_KEY
    ).digest()
    return FreshKey(digest[: aead.KEY_BYTES], digest[aead.KEY_BYTES :], digest)


def supplement_nonce(group: Group, recipient_ids: Iterable[bytes], plaintext: bytes) -> bytes:
    """Derive the nonce of a supplement from its recipients, in the order given, and what it says.

    Raises:
        LocalProtocolError: an id that is no account id.
    """
    text = ids_in_hex(recipient_ids) + plaintext + _seed_hash(group, _SEED_KEY)
    return hashlib.blake2b(text, digest_size=aead.NONCE_BYTES, key=_GENERATION_KEY).digest()


def admin_slot_key(group: Group) -> bytes:
    """Give the key under which every keys message holds the group key for admins."""
    return _seed_hash(group, _ADMIN_KEY)


def subaccount_mask(group: Group) -> bytes:
    """Give the key that hides which account a subaccount token belongs to."""
    return _seed_hash(group, _MASK_KEY)


def junk_slots(group: Group, digest: bytes, count: int) -> list[bytes]:
    """Make slots that nobody can open and nobody can tell from others.

    Args:
        digest: H1 of the key in the other slots.

    Source: messages 4.2; seed = BLAKE2b-32(H1 ‖ 64-byte secret; key "SessionGroupJunkMembers").
    """
    secret64 = group.ed.secret + group.ed.public
    seed = hashlib.blake2b(digest + secret64, digest_size=32, key=_JUNK_KEY).digest()
    filling = stretch(seed, count * SLOT_BYTES)
    return [filling[at : at + SLOT_BYTES] for at in range(0, len(filling), SLOT_BYTES)]


def ids_in_hex(account_ids: Iterable[bytes]) -> bytes:
    """Write account ids one after the other, 66 lower-case digits each.

    Raises:
        LocalProtocolError: an id that is no account id.
    """
    written = []
    for account_id in account_ids:
        if len(account_id) != ID_BYTES or not account_id.startswith(ACCOUNT_PREFIX):
            raise LocalProtocolError("a member is named by a 33-byte account id that starts with 05")
        written.append(account_id.hex())
    return "".join(written).encode()


def _seed_hash(group: Group, key: bytes) -> bytes:
    return hashlib.blake2b(group.ed.secret, digest_size=32, key=key).digest()
