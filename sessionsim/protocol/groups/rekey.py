"""Making a new group key and handing it to everyone (messages 4.2).

One slot for the admins, under a key that follows from the seed; one slot per member, encrypted from the
group's X25519 key to the member's; junk up to a multiple of 75, so that the size tells the number of members
only in steps of 75. Done for the first key, when somebody is removed, when somebody is added without
history, and when two keys claim the same generation. Afterwards Info and Members have to be encrypted anew
and pushed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.groups.derivation import admin_slot_key, fresh_key, junk_slots
from sessionsim.protocol.groups.identity import Group
from sessionsim.protocol.groups.keys_message import SLOT_MULTIPLE, Rekey, encode
from sessionsim.protocol.multi_encrypt import encrypt

# Domain of what a keys message encrypts to a member. Source: messages 4.2; src/config/groups/keys.cpp.
MEMBER_DOMAIN: Final = b"SessionGroupKeyMemberKey"


class Rekeyed(NamedTuple):
    """A key that was made but is not yet known to be stored.

    Args:
        generation: its generation.
        key: 32 bytes.
        message: what goes to namespace 12.
    """

    generation: int
    key: bytes
    message: bytes


def rekey(suite: Suite, group: Group, member_ids: Iterable[bytes], generation: int) -> Rekeyed:
    """Make the key of a generation and its message; the same for every admin.

    Args:
        member_ids: account ids (33 bytes) of all who shall read, admins too, in any order. A member whose
            key is no usable curve point gets no slot but counts in the derivation, as in the reference.
        generation: `KeyRing.next_generation`.

    Raises:
        LocalProtocolError: an id that is no account id, or a negative generation.
    Source: messages 4.2; libsession-util: src/config/groups/keys.cpp (rekey).
    """
    members = sorted(set(member_ids))
    key, nonce, digest = fresh_key(group, members, generation)
    recipients = [member[1:] for member in members]
    slots = encrypt(suite, [key], recipients, nonce, group.x, MEMBER_DOMAIN, skip_unusable=True)
    slots += junk_slots(group, digest, -len(slots) % SLOT_MULTIPLE)
    admin_slot = aead.seal(key, nonce, admin_slot_key(group))
    message = encode(suite, group, Rekey(nonce, generation, admin_slot, tuple(slots)))
    return Rekeyed(generation, key, message)
