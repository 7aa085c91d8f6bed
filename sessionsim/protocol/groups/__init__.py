"""Groups of version 2: shared keys and encryption (messages 4, transport 5.2)."""

from __future__ import annotations

from sessionsim.protocol.groups.identity import Group, group_from_seed
from sessionsim.protocol.groups.key_ring import GroupKey, KeyRing
from sessionsim.protocol.groups.loading import OpenedKeys, open_keys
from sessionsim.protocol.groups.message import GroupMessage, open_group, seal_group
from sessionsim.protocol.groups.rekey import Rekeyed, rekey
from sessionsim.protocol.groups.supplement import supplement

__all__ = [
    "Group",
    "GroupKey",
    "GroupMessage",
    "KeyRing",
    "OpenedKeys",
    "Rekeyed",
    "group_from_seed",
    "open_group",
    "open_keys",
    "rekey",
    "seal_group",
    "supplement",
]
