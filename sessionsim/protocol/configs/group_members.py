"""Who is in a group (messages 5.1, 5.6): namespace 14, written by admins.

    m -> id (33 bytes) -> n name   p, q picture   A admin   P promotion
                          I invitation   s with history   R removal

The name is always written, so that a member about whom nothing else is known stays. All members read it: the
stored size tells the swarm how many there are, in steps.
Source: libsession-util: src/config/groups/members.cpp, include/session/config/groups/members.hpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.fields import (
    MAX_NAME_BYTES,
    Picture,
    checked_id,
    dicts_in,
    encoded,
    flag,
    integer_in,
    picture_fields,
    picture_in,
    positive,
    put,
    text_in,
)
from sessionsim.protocol.configs.values import Tree

# Of an invitation or promotion. Source: libsession-util: include/session/config/groups/members.hpp.
ACCEPTED, SENT, FAILED, NOT_SENT = range(4)
# Of a removal that is under way. Source: as above.
REMOVED, REMOVED_WITH_MESSAGES = 1, 2
_MEMBERS: Final = b"m"
_PERSON: Final = b"\x05"


@dataclass(frozen=True, slots=True)
class Member:
    """One member.

    Args:
        id: 33 bytes, 05.
        name: at most 100 bytes.
        invitation, promotion: how far each has come: ACCEPTED, SENT, FAILED or NOT_SENT. An admin has none.
        with_history: invited so as to read what is older.
        removal: 0, or REMOVED, or REMOVED_WITH_MESSAGES.
    """

    id: bytes
    name: str = ""
    picture: Picture | None = None
    admin: bool = False
    invitation: int = NOT_SENT
    promotion: int = ACCEPTED
    with_history: bool = False
    removal: int = 0


class GroupMembers:
    """The members in a config. `set` and `erase` raise LocalProtocolError for who is no admin."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def get(self, member_id: bytes) -> Member | None:
        """Give a member, if there is one."""
        found = self.config.get(_MEMBERS, member_id)
        return _member(member_id, found) if type(found) is dict else None

    def __iter__(self) -> Iterator[Member]:
        """Give all, by id; entries of other form are passed over."""
        return (_member(*entry) for entry in dicts_in(self.config.tree(_MEMBERS), _PERSON))

    def __len__(self) -> int:
        return len(self.config.tree(_MEMBERS))

    def set(self, member: Member) -> None:
        """Add or change a member.

        Raises:
            InvalidInput: a name of more than 100 bytes.
            LocalProtocolError: no account id, or this device cannot write.
        """
        fields = {
            b"n": encoded(member.name, MAX_NAME_BYTES, "member name"),
            **picture_fields(member.picture),
            b"A": flag(member.admin),
            b"P": positive(member.promotion),
            b"I": None if member.admin else positive(member.invitation),
            b"s": flag(member.with_history),
            b"R": positive(member.removal),
        }
        put(self.config, (_MEMBERS, checked_id(member.id, _PERSON, "member")), fields)

    def erase(self, member_id: bytes) -> bool:
        """Remove a member; say whether there was one. Goes with a new group key (messages 4.2)."""
        return self.config.erase(_MEMBERS, member_id)


def _member(member_id: bytes, tree: Tree) -> Member:
    admin = bool(integer_in(tree, b"A"))
    invitation = 0 if admin else integer_in(tree, b"I")
    promotion = integer_in(tree, b"P")
    invited = invitation > 0 and not (admin or promotion > 0)
    return Member(
        member_id,
        text_in(tree, b"n"),
        picture_in(tree),
        admin,
        invitation,
        promotion,
        invited and bool(integer_in(tree, b"s")),
        integer_in(tree, b"R"),
    )
