"""The groups and communities an account is in (messages 5.1, 5.6): namespace 5.

    g -> id 03… -> K seed, empty without   s auth   n name in the invitation   r removed      (groups)
    o -> server -> # its key   R -> room -> n the room as people write it                     (communities)
    C -> id 05… -> n name   k, K encryption pair   m members   a admins   E timer, s          (legacy groups)
    each entry -> @ notify   ! muted until, s   + priority   i invited   j joined, s

Keys of groups are the 33 bytes of the id: so the code; messages 5.6 and a comment in the reference leave the
prefix 03 out.
Source: libsession-util: src/config/user_groups.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.fields import (
    MAX_NAME_BYTES,
    MAX_ROOM_BYTES,
    NOTIFY_DEFAULT,
    Room,
    checked_id,
    dicts_in,
    encoded,
    erase_room,
    filled,
    flag,
    integer_in,
    nonzero,
    notify_in,
    positive,
    put,
    put_room,
    rooms_in,
    string_in,
    text_in,
)
from sessionsim.protocol.configs.values import Tree, Value
from sessionsim.protocol.crypto import real
from sessionsim.protocol.identity import SEED_BYTES

AUTH_BYTES: Final = 100  # Source: messages 4.4, 5.6
LEGACY_KEY_BYTES: Final = 32  # Source: libsession-util: include/session/config/user_groups.hpp
_GROUPS, _LEGACY = b"g", b"C"
_GROUP, _PERSON = b"\x03", b"\x05"


@dataclass(frozen=True, slots=True)
class Membership:
    """What is kept of every kind of group.

    Args:
        priority: 0 usual, above 0 pinned, −1 hidden.
        joined_s, muted_until_s: unix time, s; 0 for none.
        notify: one of NOTIFY_…
        invited: asked, and not yet accepted.
    """

    priority: int = 0
    joined_s: int = 0
    notify: int = NOTIFY_DEFAULT
    muted_until_s: int = 0
    invited: bool = False


@dataclass(frozen=True, slots=True)
class JoinedGroup:
    """One group.

    Args:
        id: 33 bytes, 03.
        name: from the invitation; at most 100 bytes.
        seed: the group's Ed25519 seed, for its admins; 32 bytes or empty.
        auth: the signing value of a member; 100 bytes or empty. Not kept beside a seed.
        removed: 0 no, otherwise why the account is out.
    """

    id: bytes
    name: str = ""
    seed: bytes = b""
    auth: bytes = b""
    removed: int = 0
    membership: Membership = field(default_factory=Membership)


@dataclass(frozen=True, slots=True)
class JoinedRoom:
    """One room of a community.

    Args:
        server_key: 32 bytes.
        name: the room's token in the letters people use.
    """

    room: Room
    server_key: bytes
    name: str = ""
    membership: Membership = field(default_factory=Membership)


@dataclass(frozen=True, slots=True)
class LegacyGroup:
    """One legacy group.

    Args:
        id: 33 bytes, 05.
        name: at most 100 bytes.
        public, secret: its X25519 pair, 32 bytes each; or both empty.
        members, admins: account ids; nobody is in both.
        timer_s: after which messages disappear; 0 for never.
    """

    id: bytes
    name: str = ""
    public: bytes = b""
    secret: bytes = b""
    members: frozenset[bytes] = frozenset()
    admins: frozenset[bytes] = frozenset()
    timer_s: int = 0
    membership: Membership = field(default_factory=Membership)


class UserGroups:
    """The groups in a config."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def group(self, group_id: bytes) -> JoinedGroup | None:
        """Give a group, if there is one."""
        found = self.config.get(_GROUPS, group_id)
        return _group(group_id, found) if type(found) is dict else None

    def groups(self) -> Iterator[JoinedGroup]:
        """Give all groups, by id."""
        return (_group(*entry) for entry in dicts_in(self.config.tree(_GROUPS), _GROUP))

    def set_group(self, group: JoinedGroup) -> None:
        """Add or change a group. A seed that is not this group's is not written.

        Raises:
            InvalidInput: a name of more than 100 bytes.
            LocalProtocolError: no group id.
        """
        path = (_GROUPS, checked_id(group.id, _GROUP, "group"))
        admin = _is_seed_of(group.seed, group.id)
        fields: dict[bytes, Value] = {
            **_membership_fields(group.membership),
            b"n": filled(encoded(group.name, MAX_NAME_BYTES, "group name")),
            b"r": positive(group.removed),
            b"K": group.seed if admin else b"",  # always there, so that the entry stays
        }
        if not admin:
            fields[b"s"] = group.auth if len(group.auth) == AUTH_BYTES else None
        put(self.config, path, fields)

    def erase_group(self, group_id: bytes) -> bool:
        """Remove a group; say whether there was one."""
        return self.config.erase(_GROUPS, group_id)

    def room(self, room: Room) -> JoinedRoom | None:
        """Give a room, if there is one."""
        return next((joined for joined in self.rooms() if joined.room == room), None)

    def rooms(self) -> Iterator[JoinedRoom]:
        """Give all rooms, by server and token."""
        for room, key, tree in rooms_in(self.config.data):
            yield JoinedRoom(room, key, text_in(tree, b"n"), _membership(tree))

    def set_room(self, joined: JoinedRoom) -> None:
        """Add or change a room; the server's key is the same for all its rooms.

        Raises:
            InvalidInput: a name that is not the room's token in other letters.
            LocalProtocolError: a server key of another length.
        """
        name = joined.name or joined.room.token
        if name.lower() != joined.room.token:
            raise InvalidInput("room name", name, "the room's token, in large or small letters")
        written = encoded(name, MAX_ROOM_BYTES, "room name")
        put_room(
            self.config,
            joined.room,
            joined.server_key,
            {**_membership_fields(joined.membership), b"n": written},
        )

    def erase_room(self, room: Room) -> bool:
        """Remove a room; say whether there was one."""
        return erase_room(self.config, room)

    def legacy(self, group_id: bytes) -> LegacyGroup | None:
        """Give a legacy group, if there is one."""
        found = self.config.get(_LEGACY, group_id)
        return _legacy(group_id, found) if type(found) is dict else None

    def legacies(self) -> Iterator[LegacyGroup]:
        """Give all legacy groups, by id."""
        return (_legacy(*entry) for entry in dicts_in(self.config.tree(_LEGACY), _PERSON))

    def set_legacy(self, group: LegacyGroup) -> None:
        """Add or change a legacy group.

        Raises:
            InvalidInput: a name of more than 100 bytes.
            LocalProtocolError: no id of a group, member or admin.
        """
        for member in group.members | group.admins:
            checked_id(member, _PERSON, "member")
        paired = len(group.public) == len(group.secret) == LEGACY_KEY_BYTES
        fields = {
            **_membership_fields(group.membership),
            b"n": encoded(group.name, MAX_NAME_BYTES, "group name"),
            b"k": group.public if paired else None,
            b"K": group.secret if paired else None,
            b"m": group.members - group.admins,
            b"a": group.admins,
            b"E": positive(group.timer_s),
        }
        put(self.config, (_LEGACY, checked_id(group.id, _PERSON, "legacy group")), fields)

    def erase_legacy(self, group_id: bytes) -> bool:
        """Remove a legacy group; say whether there was one."""
        return self.config.erase(_LEGACY, group_id)


def _is_seed_of(seed: bytes, group_id: bytes) -> bool:
    return len(seed) == SEED_BYTES and real.ed25519_keypair(seed).public == group_id[1:]


def _membership_fields(membership: Membership) -> Mapping[bytes, Value]:
    return {
        b"+": nonzero(membership.priority),
        b"j": positive(membership.joined_s),
        b"@": positive(membership.notify),
        b"!": positive(membership.muted_until_s),
        b"i": flag(membership.invited),
    }


def _membership(tree: Tree) -> Membership:
    joined_s = max(0, integer_in(tree, b"j"))
    muted_s, invited = integer_in(tree, b"!"), bool(integer_in(tree, b"i"))
    return Membership(integer_in(tree, b"+"), joined_s, notify_in(tree), muted_s, invited)


def _group(group_id: bytes, tree: Tree) -> JoinedGroup:
    seed, auth = string_in(tree, b"K"), string_in(tree, b"s")
    return JoinedGroup(
        group_id,
        text_in(tree, b"n"),
        seed if _is_seed_of(seed, group_id) else b"",
        auth if len(auth) == AUTH_BYTES else b"",
        integer_in(tree, b"r"),
        _membership(tree),
    )


def _legacy(group_id: bytes, tree: Tree) -> LegacyGroup:
    public, secret = string_in(tree, b"k"), string_in(tree, b"K")
    paired = len(public) == len(secret) == LEGACY_KEY_BYTES
    admins = _people(tree.get(b"a"))
    return LegacyGroup(
        group_id,
        text_in(tree, b"n"),
        public if paired else b"",
        secret if paired else b"",
        # As in the reference, who is listed as both is a member.
        _people(tree.get(b"m")),
        admins - _people(tree.get(b"m")),
        max(0, integer_in(tree, b"E")),
        _membership(tree),
    )


def _people(listed: Value) -> frozenset[bytes]:
    if type(listed) is not frozenset:
        return frozenset()
    return frozenset(
        one for one in listed if type(one) is bytes and len(one) == 33 and one.startswith(_PERSON)
    )
