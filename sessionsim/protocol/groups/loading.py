"""Opening a keys message with one's own key (messages 4.2).

A member does not know which slot is the own one and tries all, junk included; an admin opens the slot of the
admins and has no use for supplements. Anyone else finds nothing, but learns that a newer generation exists.
"""

from __future__ import annotations

from typing import NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.groups.derivation import admin_slot_key
from sessionsim.protocol.groups.identity import Group, group_x25519
from sessionsim.protocol.groups.key_ring import GroupKey
from sessionsim.protocol.groups.keys_message import Rekey, Supplement, decode
from sessionsim.protocol.groups.rekey import MEMBER_DOMAIN
from sessionsim.protocol.groups.supplement import keys_of_entry
from sessionsim.protocol.identity import Account
from sessionsim.protocol.multi_encrypt import decrypt


class OpenedKeys(NamedTuple):
    """What somebody found in a keys message.

    Args:
        keys: none, one, or all of a supplement.
        generation: the message's own, told to everyone.
    """

    keys: tuple[GroupKey, ...]
    generation: int


def open_keys(
    suite: Suite, group_id: bytes, reader: Account | Group, raw: bytes, stored_ms: int
) -> OpenedKeys:
    """Check a keys message and take out what is for the reader.

    Args:
        reader: the member's account, or the group's own keys if the reader is an admin.
        raw: any bytes.
        stored_ms: the time the swarm gives for the message, unix ms; the time of the key in a rekey.

    Returns:
        The keys found; `keys` is empty if there is nothing for the reader.

    Raises:
        LocalProtocolError: an admin's keys that belong to another group.
        CannotOpen: not signed by the group, or the admins' slot does not open.
        RemoteProtocolError: not a keys message.
    Source: messages 4.2; libsession-util: src/config/groups/keys.cpp (load_key_message).
    """
    if isinstance(reader, Group) and reader.id != group_id:
        raise LocalProtocolError("the admin's keys are of another group")
    message = decode(suite, group_id, raw)
    if isinstance(message, Supplement):
        return OpenedKeys(_from_supplement(suite, group_id, reader, message), message.generation)
    key = _from_rekey(suite, group_id, reader, message)
    keys = () if key is None else (GroupKey(message.generation, stored_ms, key),)
    return OpenedKeys(keys, message.generation)


def _from_rekey(suite: Suite, group_id: bytes, reader: Account | Group, message: Rekey) -> bytes | None:
    if isinstance(reader, Group):
        return aead.unseal(message.admin_slot, message.nonce, admin_slot_key(reader))
    return _for_member(suite, group_id, reader, message.slots, message.nonce)


def _from_supplement(
    suite: Suite, group_id: bytes, reader: Account | Group, message: Supplement
) -> tuple[GroupKey, ...]:
    if isinstance(reader, Group):
        return ()
    plaintext = _for_member(suite, group_id, reader, message.entries, message.nonce)
    return () if plaintext is None else keys_of_entry(plaintext)


def _for_member(
    suite: Suite, group_id: bytes, reader: Account, entries: tuple[bytes, ...], nonce: bytes
) -> bytes | None:
    return decrypt(suite, entries, nonce, reader.x, group_x25519(group_id), MEMBER_DOMAIN)
