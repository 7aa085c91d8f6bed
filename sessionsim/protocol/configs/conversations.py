"""How far each conversation is read (messages 5.1, 5.6): ConvoInfoVolatile, namespace 4.

    1 -> id 05…   g -> id 03…   C -> id 05… of a legacy group   b -> blinded id 15… or 25… (newer clients)
    o -> server -> # its key   R -> room
    each -> r read up to, unix ms   u marked unread

It changes with every reading, so it is pushed more often than all other configs. Conversations not read for
30 days are not added, and those not read for 45 days are removed before a push. Keys are the 33 bytes of an
id: so the code; messages 5.6 and a comment in the reference speak of 66 hex digits.
Source: libsession-util: src/config/convo_info_volatile.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.fields import (
    Room,
    checked_id,
    dicts_in,
    erase_room,
    flag,
    integer_in,
    put,
    put_room,
    rooms_in,
)
from sessionsim.protocol.configs.values import Tree

_DAY_MS: Final = 86_400_000
ADD_UP_TO_MS: Final = 30 * _DAY_MS  # Source: libsession-util: convo_info_volatile.hpp (PRUNE_LOW)
KEEP_UP_TO_MS: Final = 45 * _DAY_MS  # Source: libsession-util: convo_info_volatile.hpp (PRUNE_HIGH)
_LEGACY: Final = b"C"
_BOX: Final = {0x05: b"1", 0x03: b"g", 0x15: b"b", 0x25: b"b"}
_BOXES: Final = ((b"1", b"\x05"), (b"g", b"\x03"), (_LEGACY, b"\x05"), (b"b", b"\x15\x25"))


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation.

    Args:
        with_whom: an id of 33 bytes, or a room.
        read_ms: time of the last message read, unix ms.
        unread: marked as unread by the owner.
        legacy: whether the id is a legacy group's.
        server_key: of a room, 32 bytes.
    """

    with_whom: bytes | Room
    read_ms: int = 0
    unread: bool = False
    legacy: bool = False
    server_key: bytes = b""


class Conversations:
    """The conversations in a config."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def get(self, with_whom: bytes | Room, *, legacy: bool = False) -> Conversation | None:
        """Give a conversation, if there is one."""
        path = _path(with_whom, legacy)
        found = self.config.get(*path)
        if type(found) is not dict:
            return None
        key = self.config.get(*path[:2], b"#") if isinstance(with_whom, Room) else b""
        return _conversation(with_whom, found, legacy, key if type(key) is bytes else b"")

    def __iter__(self) -> Iterator[Conversation]:
        """Give all: people, groups, legacy groups, blinded ids, rooms."""
        for box, prefixes in _BOXES:
            for identifier, tree in dicts_in(self.config.tree(box), prefixes):
                yield _conversation(identifier, tree, box == _LEGACY, b"")
        for room, key, tree in rooms_in(self.config.data):
            yield _conversation(room, tree, False, key)

    def set(self, conversation: Conversation, now_ms: int) -> None:
        """Add or change a conversation; a time of reading more than 30 days ago is not added.

        Raises:
            LocalProtocolError: no id, or a room without its server's key.
        """
        whom, read_ms = conversation.with_whom, conversation.read_ms
        path = _path(whom, conversation.legacy)
        fields: dict[bytes, int | None] = {b"u": flag(conversation.unread)}
        before = self.config.get(*path, b"r")
        # Going back is always meant, for example after the last message was deleted.
        if (type(before) is int and read_ms < before) or read_ms > now_ms - ADD_UP_TO_MS:
            fields[b"r"] = read_ms
        if isinstance(whom, Room):
            put_room(self.config, whom, conversation.server_key, fields)
        else:
            put(self.config, path, fields)

    def erase(self, with_whom: bytes | Room, *, legacy: bool = False) -> bool:
        """Remove a conversation; say whether there was one."""
        if isinstance(with_whom, Room):
            return erase_room(self.config, with_whom)
        return self.config.erase(*_path(with_whom, legacy))

    def prune(self, now_ms: int) -> None:
        """Remove what was not read for 45 days and is not marked unread; clients do so before each push."""
        stale = [one for one in self if not one.unread and one.read_ms < now_ms - KEEP_UP_TO_MS]
        for one in stale:
            self.erase(one.with_whom, legacy=one.legacy)


def _path(with_whom: bytes | Room, legacy: bool) -> tuple[bytes, ...]:
    if isinstance(with_whom, Room):
        return with_whom.path
    box = _BOX.get(with_whom[0] if with_whom else 0)
    if box is None or (legacy and box != b"1"):
        raise LocalProtocolError("not the id of a conversation")
    return (_LEGACY if legacy else box), checked_id(with_whom, with_whom[:1], "conversation")


def _conversation(with_whom: bytes | Room, tree: Tree, legacy: bool, server_key: bytes) -> Conversation:
    read_ms, unread = integer_in(tree, b"r"), bool(integer_in(tree, b"u"))
    return Conversation(with_whom, read_ms, unread, legacy, server_key)
