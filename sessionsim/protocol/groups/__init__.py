"""Groups of version 2: shared keys, encryption, members' access and its end (messages 4, transport 5.2).

A group is an account whose seed its admins share. Reading on its own terms: `identity`, `derivation`; the
keys message: `rekey`, `supplement`, `keys_message`, `loading`, `key_ring`; what is said: `encryption`,
`message`; who may use the swarm: `subaccount`, `authentication`; coming and going: `invitation`,
`admin_signature`, `membership`, `kick`.
"""

from __future__ import annotations

from sessionsim.protocol.groups.authentication import Authentication, authenticate
from sessionsim.protocol.groups.identity import Group, group_from_seed
from sessionsim.protocol.groups.invitation import (
    Invitation,
    read_invite,
    read_promotion,
    write_invite,
    write_promotion,
)
from sessionsim.protocol.groups.key_ring import GroupKey, KeyRing
from sessionsim.protocol.groups.kick import is_out, kick_message, read_kick
from sessionsim.protocol.groups.loading import OpenedKeys, open_keys
from sessionsim.protocol.groups.membership import (
    Change,
    Revoke,
    Store,
    Unrevoke,
    add_members,
    remove_members,
)
from sessionsim.protocol.groups.message import GroupMessage, open_group, seal_group
from sessionsim.protocol.groups.rekey import Rekeyed, rekey
from sessionsim.protocol.groups.subaccount import (
    Right,
    Subaccount,
    is_authentic,
    subaccount_of,
    subaccount_token,
)
from sessionsim.protocol.groups.supplement import supplement

__all__ = [
    "Authentication",
    "Change",
    "Group",
    "GroupKey",
    "GroupMessage",
    "Invitation",
    "KeyRing",
    "OpenedKeys",
    "Rekeyed",
    "Revoke",
    "Right",
    "Store",
    "Subaccount",
    "Unrevoke",
    "add_members",
    "authenticate",
    "group_from_seed",
    "is_authentic",
    "is_out",
    "kick_message",
    "open_group",
    "open_keys",
    "read_invite",
    "read_kick",
    "read_promotion",
    "rekey",
    "remove_members",
    "seal_group",
    "subaccount_of",
    "subaccount_token",
    "supplement",
    "write_invite",
    "write_promotion",
]
