"""A group that stood before the run, as one device knows it then.

What was pushed once, and what its members hold of it, is made without traffic: the same bytes that would have
been stored (`found`), and what a device takes from them (`Founded.give_to`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessionsim.protocol.client.groups.standing import Standing
from sessionsim.protocol.configs import group_config
from sessionsim.protocol.configs.group_info import GroupInfo
from sessionsim.protocol.configs.group_members import ACCEPTED, GroupMembers, Member
from sessionsim.protocol.configs.kinds import GROUP_INFO, GROUP_MEMBERS
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups import Group, GroupKey, OpenedKeys, Subaccount, rekey
from sessionsim.protocol.namespaces import GROUP_KEYS
from sessionsim.protocol.wire.rpc import message_hash

_MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that a group's swarm holds when the run begins."""

    namespace: int
    hash: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Founding:
    """A group as it was founded.

    Args:
        group: its keys.
        name: its name.
        key: the first key of its members.
        stored: keys, info and members, in this order.
    """

    group: Group
    name: str
    key: GroupKey
    stored: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class Founded:
    """A founding as one device has it. Args: auth: a member's signing value; empty for an admin."""

    founding: Founding
    access: Group | Subaccount
    auth: bytes = b""

    @property
    def group_id(self) -> bytes:
        return self.founding.group.id

    @property
    def name(self) -> str:
        return self.founding.name

    @property
    def newest(self) -> Mapping[int, str]:
        """The hash of the newest message by namespace: what was read already."""
        return {one.namespace: one.hash for one in self.founding.stored}

    def give_to(self, standing: Standing, now_ms: int) -> None:
        """Let a device hold what its polls have brought before. Args: now_ms: unix time, ms."""
        keys, info, members = self.founding.stored
        standing.ring.take(OpenedKeys((self.founding.key,), self.founding.key.generation), keys.hash)
        standing.use_keys()
        for config, one in zip(standing.configs, (info, members), strict=True):
            config.merge([(one.hash, one.data)], now_ms)
        standing.auth = self.auth


def found(
    suite: Suite,
    group: Group,
    name: str,
    members: Sequence[tuple[bytes, str]],
    admin_ids: Sequence[bytes],
    founded_ms: int,
) -> Founding:
    """Make what founding a group has left in its swarm.

    Args:
        suite: cryptography.
        group: its keys.
        members: id (33 bytes) and name of each, admins too; all have accepted.
        admin_ids: who of them is an admin.
        founded_ms: when the swarm took it, unix ms.
    """
    made = rekey(suite, group, [member_id for member_id, _ in members], 0)
    key = GroupKey(made.generation, founded_ms, made.key)
    info_config, members_config = (
        group_config(kind, suite, group.ed.public, [made.key], group.ed)
        for kind in (GROUP_INFO, GROUP_MEMBERS)
    )
    info, listed = GroupInfo(info_config), GroupMembers(members_config)
    info.set_name(name)
    info.set_created(founded_ms // _MS_PER_S)
    for member_id, member_name in members:
        listed.set(Member(member_id, member_name, admin=member_id in admin_ids, invitation=ACCEPTED))
    stored = [_stored(group, GROUP_KEYS, made.message)]
    for config in (info_config, members_config):
        (part,) = config.push(founded_ms).parts  # a list of members up to the cap fits one message
        stored.append(_stored(group, config.kind.namespace, part))
    return Founding(group, name, key, tuple(stored))


def _stored(group: Group, namespace: int, data: bytes) -> Stored:
    return Stored(namespace, message_hash(group.id, namespace, data), data)
