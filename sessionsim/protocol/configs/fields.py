"""What the kinds of config have in common: texts with limits, pictures, ids, rooms, fields that come and go.

Whoever writes a config has the account's or the group's key, but may run another program: what is read is
not trusted to be of the right form, and a field that is not counts as absent. What this device writes is
checked.
Source: libsession-util: src/config/internal.cpp, include/session/config/{profile_pic,community}.hpp.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.values import Tree, Value
from sessionsim.protocol.identity import ID_BYTES

MAX_NAME_BYTES: Final = 100  # Source: messages 5.6
MAX_URL_BYTES: Final = 223  # of a picture. Source: messages 5.6
PICTURE_KEY_BYTES: Final = 32  # Source: messages 5.6
MAX_SERVER_BYTES: Final = 267  # Source: libsession-util: include/session/config/community.hpp
MAX_ROOM_BYTES: Final = 64  # Source: libsession-util: include/session/config/community.hpp
SERVER_KEY_BYTES: Final = 32  # Source: libsession-util: include/session/config/community.hpp

# Notifications of a conversation. Source: libsession-util: include/session/config/notify.hpp.
NOTIFY_DEFAULT, NOTIFY_ALL, NOTIFY_OFF, NOTIFY_MENTIONS = range(4)

# A server's address: scheme, host, perhaps port; no path. Source: libsession-util: src/config/community.cpp.
_SERVER: Final = re.compile(r"(https?)://([a-z0-9.-]+)(?::([1-9]\d{0,4}))?/?", re.ASCII)
_USUAL_PORTS: Final = {("http", "80"), ("https", "443")}
_ROOM: Final = re.compile(r"[-0-9_a-z]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Picture:
    """Where an encrypted profile picture is, and its key.

    Args:
        url: at most 223 bytes, not empty.
        key: 32 bytes.

    Raises:
        InvalidInput: another length.
    """

    url: str
    key: bytes

    def __post_init__(self) -> None:
        encoded(self.url, MAX_URL_BYTES, "picture address")
        if not self.url or len(self.key) != PICTURE_KEY_BYTES:
            raise InvalidInput("picture", self, "an address and a key of 32 bytes")


@dataclass(frozen=True, slots=True)
class Room:
    """A room of a community, in the form that names it: lower case, without the usual port.

    Args:
        server: scheme, host and perhaps port; at most 267 bytes.
        token: 1 to 64 of a-z 0-9 - _

    Raises:
        InvalidInput: not such names.
    """

    server: str
    token: str

    def __post_init__(self) -> None:
        match = _SERVER.fullmatch(self.server.lower())
        if match is None or len(self.server) > MAX_SERVER_BYTES:
            raise InvalidInput("community server", self.server, "http(s)://host[:port], at most 267 bytes")
        scheme, host, port = match.groups()
        usual = port is None or (scheme, port) in _USUAL_PORTS
        object.__setattr__(self, "server", f"{scheme}://{host}" + ("" if usual else f":{port}"))
        object.__setattr__(self, "token", self.token.lower())
        if _ROOM.fullmatch(self.token) is None or len(self.token) > MAX_ROOM_BYTES:
            raise InvalidInput("community room", self.token, "1 to 64 letters, digits, - or _")

    @property
    def path(self) -> tuple[bytes, ...]:
        """The keys that lead to it; the server's key is beside the rooms."""
        return b"o", self.server.encode(), b"R", self.token.encode()


def encoded(text: str, most_bytes: int, place: str) -> bytes:
    """Write a text as UTF-8. Raises InvalidInput: longer than allowed, or not expressible."""
    try:
        raw = text.encode()
    except UnicodeEncodeError as wrong:
        raise InvalidInput(place, text, "characters that UTF-8 can express") from wrong
    if len(raw) > most_bytes:
        raise InvalidInput(place, text, f"at most {most_bytes} bytes of UTF-8")
    return raw


def cut(text: str, most_bytes: int) -> str:
    """Shorten a text to so many bytes of UTF-8, between characters. Source: libsession-util: util.hpp."""
    return text.encode(errors="replace")[:most_bytes].decode(errors="ignore")


def put(config: Config, path: tuple[bytes, ...], fields: Mapping[bytes, Value]) -> None:
    """Set the fields of a dict in a config; a field that is None is erased. Other fields stay."""
    for key, value in fields.items():
        if value is None:
            config.erase(*path, key)
        else:
            config.set(*path, key, to=value)


def flag(value: bool) -> int | None:
    """Give the field of a flag: 1, or absent."""
    return 1 if value else None


def positive(value: int) -> int | None:
    """Give the field of a number that is absent when not above 0."""
    return value if value > 0 else None


def nonzero(value: int) -> int | None:
    """Give the field of a number that is absent when 0."""
    return value or None


def filled(value: bytes) -> bytes | None:
    """Give the field of a string that is absent when empty."""
    return value or None


def picture_fields(picture: Picture | None) -> dict[bytes, bytes | None]:
    """Give the two fields of a picture."""
    if picture is None:
        return {b"p": None, b"q": None}
    return {b"p": picture.url.encode(), b"q": picture.key}


def integer_in(tree: Tree, key: bytes) -> int:
    """Give the integer under a key, or 0."""
    found = tree.get(key)
    return found if type(found) is int else 0


def string_in(tree: Tree, key: bytes) -> bytes:
    """Give the byte string under a key, or an empty one."""
    found = tree.get(key)
    return found if type(found) is bytes else b""


def text_in(tree: Tree, key: bytes) -> str:
    """Give the text under a key, or an empty one; what is no UTF-8 is replaced."""
    return string_in(tree, key).decode(errors="replace")


def picture_in(tree: Tree, url_key: bytes = b"p", key_key: bytes = b"q") -> Picture | None:
    """Give the picture of a dict, if it has a whole one."""
    try:
        return Picture(text_in(tree, url_key), string_in(tree, key_key))
    except InvalidInput:
        return None


def notify_in(tree: Tree) -> int:
    """Give the notification setting of a dict; what is unknown is the default."""
    found = integer_in(tree, b"@")
    return found if found in range(4) else NOTIFY_DEFAULT


def checked_id(identifier: bytes, prefixes: bytes, place: str) -> bytes:
    """Pass an id of 33 bytes through. Raises LocalProtocolError: another length or prefix."""
    if len(identifier) != ID_BYTES or identifier[0] not in prefixes:
        raise LocalProtocolError(f"not the id of a {place}")
    return identifier


def dicts_in(tree: Tree, prefixes: bytes) -> Iterator[tuple[bytes, Tree]]:
    """Give the entries whose key is an id with one of these prefixes and whose value is a dict, by id."""
    return ((key, inner) for key, inner in _dicts(tree) if len(key) == ID_BYTES and key[0] in prefixes)


def _dicts(found: Value) -> Iterator[tuple[bytes, Tree]]:
    if type(found) is dict:
        yield from ((key, found[key]) for key in sorted(found) if type(found[key]) is dict)


def rooms_in(tree: Tree) -> Iterator[tuple[Room, bytes, Tree]]:
    """Give room, server key and fields of each room of a config, by server and room."""
    for server, held in _dicts(tree.get(b"o")):
        key = string_in(held, b"#")
        for token, fields in _dicts(held.get(b"R")):
            try:
                room = Room(server.decode(), token.decode())
            except (InvalidInput, UnicodeDecodeError):
                continue
            if len(key) == SERVER_KEY_BYTES:
                yield room, key, fields


def put_room(config: Config, room: Room, server_key: bytes, fields: Mapping[bytes, Value]) -> None:
    """Set the fields of a room. Raises LocalProtocolError: the server's key has not 32 bytes."""
    if len(server_key) != SERVER_KEY_BYTES:
        raise LocalProtocolError("a community server's key has 32 bytes")
    config.set(*room.path[:2], b"#", to=server_key)
    put(config, room.path, fields)


def erase_room(config: Config, room: Room) -> bool:
    """Remove a room, and with the last one its server; say whether it was there."""
    gone = config.erase(*room.path)
    if gone and not config.tree(*room.path[:3]):
        config.erase(*room.path[:2])
    return gone
