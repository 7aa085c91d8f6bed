"""The contacts of an account (messages 5.1, 5.6): namespace 3.

    c -> id (33 bytes) -> n name   N nickname   p, q picture   a approved   A approved me   b blocked
                          @ notify   ! muted until, s   + priority   e expiry mode   E timer, s   j created, s
                          t profile updated, s (newer clients)

The name is always written, so that a contact about whom nothing else is known stays. Blinded contacts (b at
the top) and Pro features (f) of newer clients are left as they are. The config grows with each contact, and
its stored size with it.
Source: libsession-util: src/config/contacts.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.fields import (
    MAX_NAME_BYTES,
    NOTIFY_ALL,
    NOTIFY_DEFAULT,
    NOTIFY_MENTIONS,
    Picture,
    checked_id,
    dicts_in,
    encoded,
    filled,
    flag,
    integer_in,
    nonzero,
    notify_in,
    picture_fields,
    picture_in,
    positive,
    put,
    text_in,
)
from sessionsim.protocol.configs.values import Tree

# When messages disappear. Source: libsession-util: include/session/config/expiring.hpp.
EXPIRE_NEVER, EXPIRE_AFTER_SEND, EXPIRE_AFTER_READ = range(3)
_CONTACTS: Final = b"c"
_PERSON: Final = b"\x05"


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact.

    Args:
        id: 33 bytes, 05.
        name: as the contact calls itself; at most 100 bytes.
        nickname: as the owner calls it; at most 100 bytes.
        approved, approved_me: whether each may write to the other.
        priority: 0 usual, above 0 pinned, −1 hidden.
        notify: one of NOTIFY_…; mentions only counts as all.
        expiry_mode: one of EXPIRE_…
        muted_until_s, created_s, updated_s: unix time, s; 0 for none. `updated_s` is of newer clients.
        timer_s: after which messages disappear.
    """

    id: bytes
    name: str = ""
    nickname: str = ""
    picture: Picture | None = None
    approved: bool = False
    approved_me: bool = False
    blocked: bool = False
    priority: int = 0
    notify: int = NOTIFY_DEFAULT
    muted_until_s: int = 0
    expiry_mode: int = EXPIRE_NEVER
    timer_s: int = 0
    created_s: int = 0
    updated_s: int = 0


class Contacts:
    """The contacts in a config."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def get(self, contact_id: bytes) -> Contact | None:
        """Give a contact, if there is one."""
        found = self.config.get(_CONTACTS, contact_id)
        return _contact(contact_id, found) if type(found) is dict else None

    def __iter__(self) -> Iterator[Contact]:
        """Give all, by id; entries of other form are passed over."""
        return (_contact(*entry) for entry in dicts_in(self.config.tree(_CONTACTS), _PERSON))

    def __len__(self) -> int:
        return len(self.config.tree(_CONTACTS))

    def set(self, contact: Contact) -> None:
        """Add or change a contact.

        Raises:
            InvalidInput: a name of more than 100 bytes.
            LocalProtocolError: no account id.
        """
        expires = contact.expiry_mode != EXPIRE_NEVER and contact.timer_s > 0
        notify = NOTIFY_ALL if contact.notify == NOTIFY_MENTIONS else contact.notify
        fields = {
            b"n": encoded(contact.name, MAX_NAME_BYTES, "contact name"),
            b"N": filled(encoded(contact.nickname, MAX_NAME_BYTES, "nickname")),
            **picture_fields(contact.picture),
            b"a": flag(contact.approved),
            b"A": flag(contact.approved_me),
            b"b": flag(contact.blocked),
            b"+": nonzero(contact.priority),
            b"@": positive(notify),
            b"!": positive(contact.muted_until_s),
            b"e": contact.expiry_mode if expires else None,
            b"E": contact.timer_s if expires else None,
            b"j": positive(contact.created_s),
            b"t": positive(contact.updated_s),
        }
        put(self.config, (_CONTACTS, checked_id(contact.id, _PERSON, "contact")), fields)

    def erase(self, contact_id: bytes) -> bool:
        """Remove a contact; say whether there was one."""
        return self.config.erase(_CONTACTS, contact_id)


def _contact(contact_id: bytes, tree: Tree) -> Contact:
    mode, timer_s, notify = integer_in(tree, b"e"), integer_in(tree, b"E"), notify_in(tree)
    expires = mode in (EXPIRE_AFTER_SEND, EXPIRE_AFTER_READ) and timer_s > 0
    return Contact(
        contact_id,
        text_in(tree, b"n"),
        text_in(tree, b"N"),
        picture_in(tree),
        bool(integer_in(tree, b"a")),
        bool(integer_in(tree, b"A")),
        bool(integer_in(tree, b"b")),
        integer_in(tree, b"+"),
        NOTIFY_ALL if notify == NOTIFY_MENTIONS else notify,
        integer_in(tree, b"!"),
        mode if expires else EXPIRE_NEVER,
        timer_s if expires else 0,
        integer_in(tree, b"j"),
        integer_in(tree, b"t"),
    )
