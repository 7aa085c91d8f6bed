"""What opened bytes hold: their kind, who made them, what their fields say, and every name in them.

Two readings stand side by side. The codecs of the protocol say what the known fields mean: a profile has a
name, a list of members has members. And whatever the bytes are, each string in them is looked at for names
by form (`names_in_bytes`), so a field that nobody knows of gives itself away.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Final, NamedTuple

from sessionsim.adversary.names import file_term, id_term, names_of_text, names_within
from sessionsim.core.errors import ProtocolError
from sessionsim.core.ledger import Relation
from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.contacts import Contacts
from sessionsim.protocol.configs.group_info import GroupInfo
from sessionsim.protocol.configs.group_members import GroupMembers
from sessionsim.protocol.configs.kinds import (
    CONTACTS,
    CONVERSATIONS,
    GROUP_INFO,
    GROUP_MEMBERS,
    USER_GROUPS,
    USER_PROFILE,
    Kind,
)
from sessionsim.protocol.configs.user_groups import UserGroups
from sessionsim.protocol.configs.user_profile import UserProfile
from sessionsim.protocol.contents import (
    Call,
    GroupInvite,
    GroupPromote,
    GroupUpdate,
    Message,
    Text,
    TimerUpdate,
)
from sessionsim.protocol.groups.identity import group_from_seed

_FILE: Final = re.compile(rb"/file/([0-9A-Za-z_-]+)")  # in an address. Source: client-behaviour 6.5
UNREADABLE: Final = "unreadable"  # what was signed and sealed, and is no message of the protocol
CONFIG_NAMES: Final = {
    USER_PROFILE: "profile", CONTACTS: "contacts", CONVERSATIONS: "conversations", USER_GROUPS: "groups",
    GROUP_INFO: "group-info", GROUP_MEMBERS: "group-members",
}  # fmt: skip


class Said(NamedTuple):
    """What a field says. Args: subject, object: terms; field: its name in the protocol."""

    relation: Relation
    subject: str
    object: str
    field: str


class Content(NamedTuple):
    """What an opened message holds.

    Args:
        kind: for example `text`, `typing`, `contacts`.
        writer: term of who made it, by a signature or seal that was checked; empty where nobody in
            particular did.
        made: how that is known, for a derivation.
        target: term of the other person, in what was written to one; empty in others.
        said: what its known fields say.
        names: terms that stand in it.
        seeds: secrets of groups (32 bytes) that it hands over.
        text: what a person wrote.
    """

    kind: str
    writer: str
    made: str
    target: str = ""
    said: tuple[Said, ...] = ()
    names: tuple[str, ...] = ()
    seeds: tuple[bytes, ...] = ()
    text: str = ""


def text_of(message: Message) -> str:
    """Give what a person wrote in a message; empty where nobody wrote."""
    return message.part.body if isinstance(message.part, Text) else ""


def kind_of(message: Message) -> str:
    """Name the kind of a message, for example `text`, `typing`, `groupinvite`."""
    part = message.part
    return type(part.change if isinstance(part, GroupUpdate) else part).__name__.lower()


def target_of(message: Message) -> bytes:
    """Give the other person that a copy for own devices names; empty for none."""
    return message.part.sync_target if isinstance(message.part, Text | TimerUpdate) else b""


def said_in(message: Message, writer: str, reader: str, public: Collection[str]) -> Iterator[Said]:
    """Give what the fields of a message say.

    Args:
        writer: term of who signed it; reader: of whose inbox it was for, an account or a group.
        public: addresses that are nobody's secret.
    """
    part = message.part
    profile = getattr(part, "profile", None)
    if profile is not None and profile.name:
        yield _called(writer, profile.name, "profile.displayName")
    if isinstance(part, Call):
        for address in dict.fromkeys(chain.from_iterable(map(names_of_text, part.sdps))):
            if address.startswith("addr:") and address not in public:
                yield Said(Relation.GIVES, writer, address, "callMessage.sdps")
    if reader.startswith("group:"):
        yield Said(Relation.MEMBER_OF, writer, reader, "encrypted with the group's key")
    if not isinstance(part, GroupUpdate):
        return
    change = part.change
    if isinstance(change, GroupInvite) and change.name:
        yield _called(id_term(change.group_id), change.name, "invite.name")
    if isinstance(change, GroupPromote):
        group = _group_of(change.seed)
        if group:
            yield from _leads(reader, group, "promote.groupIdentitySeed")
            if change.name:
                yield _called(group, change.name, "promote.name")


def seeds_in(message: Message) -> tuple[bytes, ...]:
    """Give the secrets of groups that a message hands over."""
    part = message.part
    if isinstance(part, GroupUpdate) and isinstance(part.change, GroupPromote):
        return (part.change.seed,) if _group_of(part.change.seed) else ()
    return ()


def _group_of(seed: bytes) -> str:
    try:
        return id_term(group_from_seed(seed).id)
    except ProtocolError:
        return ""


def _called(who: str, name: str, field: str) -> Said:
    return Said(Relation.CALLED, who, f"name:{name}", field)


def _leads(who: str, group: str, field: str) -> Iterator[Said]:
    yield Said(Relation.MEMBER_OF, who, group, field)
    yield Said(Relation.LEADS, who, group, field)


def said_in_config(kind: Kind, config: Config, owner: str) -> Iterator[Said]:
    """Give what a config says. Args: owner: term of whose it is, an account or a group."""
    if kind is USER_PROFILE and UserProfile(config).name:
        yield _called(owner, UserProfile(config).name, "n")
    if kind is GROUP_INFO and GroupInfo(config).name:
        yield _called(owner, GroupInfo(config).name, "n")
    if kind is CONTACTS:
        for contact in Contacts(config):
            other = id_term(contact.id)
            yield Said(Relation.KNOWS, owner, other, "c")
            if contact.name:
                yield _called(other, contact.name, "c.n")
    if kind is USER_GROUPS:
        yield from _said_of_groups(UserGroups(config), owner)
    if kind is GROUP_MEMBERS:
        for member in GroupMembers(config):
            who = id_term(member.id)
            if member.admin:
                yield from _leads(who, owner, "m.A")
            elif not member.invitation and not member.removal:
                yield Said(Relation.MEMBER_OF, who, owner, "m")
            if member.name:
                yield _called(who, member.name, "m.n")


def _said_of_groups(groups: UserGroups, owner: str) -> Iterator[Said]:
    for joined in groups.groups():
        group = id_term(joined.id)
        if joined.name:
            yield _called(group, joined.name, "g.n")
        if joined.removed or joined.membership.invited:
            continue
        if joined.seed:
            yield from _leads(owner, group, "g.K")
        else:
            yield Said(Relation.MEMBER_OF, owner, group, "g")
    for room in groups.rooms():
        yield Said(Relation.MEMBER_OF, owner, f"room:{room.room.server}/{room.room.token}", "o.R")


def seeds_in_config(kind: Kind, config: Config) -> tuple[bytes, ...]:
    """Give the secrets of groups that a config holds."""
    return tuple(one.seed for one in UserGroups(config).groups() if one.seed) if kind is USER_GROUPS else ()


def names_in_bytes(raw: bytes, public: Collection[str]) -> tuple[str, ...]:
    """List the names in bytes of protobuf or bencode, each once, as terms, files in addresses among them.

    Args:
        raw: any bytes.
        public: addresses that are nobody's secret.
    """
    files = (file_term(found.decode()) for found in _FILE.findall(raw))
    return tuple(name for name in dict.fromkeys((*names_within(raw), *files)) if name not in public)
