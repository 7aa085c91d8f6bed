"""Names in bytes: what identifies somebody or something, wherever it stands.

No field is known to give anything away; a name is recognised by its own form:

    05, 03, 15, 25, 07, 00 and 64 hex digits   account, group, blinded ids, version id, key (transport 1.2)
    33 raw bytes in a field of their own, beginning so        the same
    dotted IPv4 that is no node's and no server's             a network address
    36 bytes that begin with 03 and flags                     the token of a group's member
    text in a field called `token`                            what a push platform calls a device by
    any other text or byte string of 16 bytes and more        a string that can be met again

Any of these may be spelled otherwise (`spellings`), in pieces (`pieces`), or lie within bytes that can be
taken apart (`taken_apart`). What the protocol itself writes into a field (signatures, stored bytes, hashes,
times) is passed over where that field belongs (`known_fields`) and as long as it looks as it should
(`usual`): it is read by those who know what it is. Whatever else a field holds, nested or not, is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from sessionsim.adversary.fields import ID_BYTES, KEY_BYTES, base64_bytes, hex_bytes, key_bytes
from sessionsim.adversary.known_fields import NOTHING
from sessionsim.adversary.pieces import numbers_of, put_together
from sessionsim.adversary.spellings import entropy_of, spellings, unpacked
from sessionsim.adversary.taken_apart import strings_in
from sessionsim.adversary.usual import is_usual
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.identity import account_id_of_ed25519

_KINDS: Final = {0: "key", 3: "group", 5: "account", 7: "version", 0x15: "blinded", 0x25: "blinded"}
_ID_TEXT: Final = re.compile(
    r"(?:(?<![0-9a-fA-F])|(?<=0x))(00|03|05|07|15|25)([0-9a-fA-F]{64})(?![0-9a-fA-F])"
)
_LONG_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{66,}")
_BENCODED_ID: Final = re.compile(rb"33:([\x03\x05\x07\x15\x25].{32})", re.DOTALL)
_IPV4: Final = re.compile(r"(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(?![\d.])", re.ASCII)
_DEVICE_FIELD: Final = "token"  # Source: client-behaviour 6.4; messages 9
# Of fields with network addresses, as the protocol calls them. Source: transport 5.8
_ADDRESS_FIELD: Final = re.compile(r"(?:.*_)?(?:ip|ipv4|addr|address)", re.IGNORECASE)
_ADDRESS_BITS: Final = range(25, 33)  # of an IPv4 address as a number; networks 0.0.0.0/8 are nobody's
_ADDRESS_BYTES: Final = 4
_CONTENT: Final = "data"  # of a post: looked into, and no name itself. Source: messages 8
_ED25519: Final = "ed25519"  # in the names of fields with such keys. Source: transport 5.2
_LEAST_KEY: Final = 32  # Assumption: shorter keys of fields are words; an id in any spelling is longer
_MOST_KEY: Final = 256  # Assumption: nor is an id in any spelling as long; what is remembered stays small
_LONG_BITS: Final = 64  # numbers beyond are no times, sizes or counts
_TOKEN_BYTES: Final = 36  # Source: transport 5.2
KEY_LENGTHS: Final = frozenset((KEY_BYTES, 2 * KEY_BYTES))  # raw and in hex
LEAST_STRING: Final = 16  # bytes; shorter ones may be met twice by chance
OF_DEVICE: Final = "token:"  # begins the term of what a push platform calls a device by
STRING: Final = "string:"  # begins the term of a string that says nothing by itself
_SHOWN: Final = 128  # characters, as many as the longest common hash has
_DEEPEST: Final = 12  # Assumption: nothing of the protocol nests deeper
_LEAST_NAME: Final = 7  # characters of the shortest address
_LEAST_SPELLED: Final = 10  # and of the shortest one that is spelled otherwise
_MOST_SPELLED: Final = 4  # Assumption: nothing is spelled otherwise more often, one way within the other
_MOST_BYTES: Final = 1 << 17  # Assumption: what is longer is a file, and is looked at up to there

_CACHED_IDS: Final = 4096  # Assumption: more accounts than ask in turn; about 1 MB


@lru_cache(maxsize=_CACHED_IDS)
def id_term(raw: bytes) -> str:
    """Write an id of 33 bytes as a term; by its first byte it is of an account, a group …"""
    return f"{_KINDS.get(raw[0] if raw else -1, 'id')}:{raw.hex()}"


def names_in(fields: Any, public: Collection[str], passed_over: Collection[str] = NOTHING) -> list[str]:
    """List the names in fields, each once, as terms.

    Args:
        fields: a value of JSON or bencode, of any kind.
        public: what is nobody's secret: addresses and keys of nodes, addresses of servers.
        passed_over: keys of fields that are not looked at while they hold what they should.
    """
    leaves = list(_leaves(fields, passed_over, 0))
    found = dict.fromkeys(
        name for key, value in leaves for name in _names_of(value, key, public) if name not in public
    )
    if len(leaves) > 1:
        for whole in put_together([value for _, value in leaves]):
            found |= dict.fromkeys(name for name in names_within(whole) if name not in public)
    return list(found)


def _leaves(
    value: Any, passed_over: Collection[str], depth: int, field: str = ""
) -> Iterator[tuple[str, str | bytes]]:
    """Give the strings in a value, each with the key of the field that it stands in."""
    if isinstance(value, str | bytes):
        yield field, value
    elif depth < _DEEPEST and isinstance(value, Mapping):
        for key, inner in value.items():
            text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
            low = text.lower()
            if (text in passed_over or low in passed_over) and is_usual(low, inner):
                continue
            if len(text) >= _LEAST_KEY and _names_as_key(text[:_MOST_KEY]):
                yield "", text
            yield from _leaves(inner, passed_over, depth + 1, text)
    elif depth < _DEEPEST and isinstance(value, list | tuple):
        numbers = numbers_of(value)
        if numbers:
            yield field, numbers
        for inner in () if numbers else value:
            yield from _leaves(inner, passed_over, depth + 1, field)
    elif type(value) is int and (value >> _LONG_BITS > 0 or value.bit_length() in _ADDRESS_BITS):
        yield field, str(value)


@lru_cache(maxsize=_CACHED_IDS)
def _names_as_key(text: str) -> bool:
    """Say whether the key of a field names somebody by its form."""
    return any(True for _ in names_within(text))


def _names_of(value: str | bytes, field: str, public: Collection[str]) -> Iterator[str]:
    """List the names that a field holds: a name by its form, or else a string."""
    if isinstance(value, bytes):
        name = name_of_raw(value)
        if name:
            yield name
            return
    found = dict.fromkeys((*_packed_address(value, field), *names_within(value)))
    yield from found
    if found or len(value) < LEAST_STRING or (field == _CONTENT and len(value) > _SHOWN):
        return
    text = value if isinstance(value, str) else value.decode("latin-1") if value.isascii() else ""
    if any(map(str.isdigit, text)) or isinstance(value, bytes) or entropy_of(text):  # else it is a word
        string = string_term(value, STRING if field != _DEVICE_FIELD else OF_DEVICE)
        yield string
        if len(value) in KEY_LENGTHS and _ED25519 in field.lower() and string not in public:
            yield from filter(None, (owner_of_ed25519(value),))


def _packed_address(value: str | bytes, field: str) -> Iterator[str]:
    """Read an address written as a number, or as four bytes, in a field for addresses."""
    if not _ADDRESS_FIELD.fullmatch(field):
        return
    text = value if isinstance(value, str) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _LONG_BITS else 0
    raw = value if isinstance(value, bytes) else hex_bytes(text) or base64_bytes(text)
    if number.bit_length() in _ADDRESS_BITS:
        raw = number.to_bytes(4, "big")
    if len(raw) == _ADDRESS_BYTES:
        yield f"addr:{'.'.join(map(str, raw))}"


@lru_cache(maxsize=_CACHED_IDS)
def owner_of_ed25519(key: str | bytes, account: bytes = b"") -> str:
    """Name the account whose Ed25519 key stands somewhere, by the known conversion; empty where it is none.

    Args:
        key: raw or in hex.
        account: of whom it should be, 33 bytes; then empty for its own.
    """
    raw = key_bytes(key)
    if len(raw) != KEY_BYTES or raw == account[1:]:
        return ""
    try:
        owner = account_id_of_ed25519(raw)
    except ProtocolError:
        return ""
    return "" if owner == account else id_term(owner)


def names_within(value: str | bytes, depth: int = 0) -> Iterator[str]:
    """List the names that have a form of their own, however they are spelled.

    Args:
        value: a text, or bytes that may be one or may be taken apart.
        depth: how often it was spelled otherwise already.
    """
    if isinstance(value, str):
        yield from _names_spelled(value, depth)
        return
    for written in _BENCODED_ID.findall(value, 0, _MOST_BYTES):
        yield id_term(written)
    for part, whole in strings_in(value[:_MOST_BYTES]):
        name = name_of_raw(part)
        if name:
            yield name
        # What a word was spelled for is a text, or a name; other bytes may have texts in them anywhere.
        elif whole and (not depth or part.isascii()):
            yield from _names_spelled(part.decode("latin-1"), depth)
        for inner in unpacked(part) if whole and depth < _MOST_SPELLED else ():
            yield from names_within(inner, depth + 1)


def _names_spelled(text: str, depth: int) -> Iterator[str]:
    if len(text) < _LEAST_NAME:
        return
    yield from names_of_text(text)
    if len(text) >= _LEAST_SPELLED and depth < _MOST_SPELLED:
        for other in spellings(text[:_MOST_BYTES]):
            yield from names_within(other, depth + 1)


def names_anywhere(raw: bytes, public: Collection[str]) -> list[str]:
    """List the names in bytes that nobody knows how to read, each once, as terms.

    Args:
        public: addresses that are nobody's secret.
    """
    return [name for name in dict.fromkeys(names_within(raw)) if name not in public]


def names_of_text(text: str) -> Iterator[str]:
    """List the ids and addresses written out in a text."""
    if len(text) > 2 * ID_BYTES - 1:
        for word in _LONG_HEX.findall(text):
            for prefix, digits in _ID_TEXT.findall(word):
                yield id_term(bytes.fromhex(prefix + digits))
    if text.count(".") > 2:
        for address in _IPV4.findall(text):
            if all(int(part) < 256 for part in address.split(".")):
                yield f"addr:{address}"


def names_of_path(path: str) -> Iterator[str]:
    """List the names in the path of a request to a server: ids, files, and other long parts."""
    path, _, query = path.partition("?")
    for pair in query.split("&") if query else ():
        yield from _names_of(pair.partition("=")[2] or pair, "", ())
    parts = path.split("/")
    for before, part in pairwise(("", *parts)):
        found = list(dict.fromkeys(names_of_text(part) if before == "file" else names_within(part)))
        yield from found
        if before == "file" and part:
            yield file_term(part)
        elif not found and len(part) >= LEAST_STRING and any(character.isdigit() for character in part):
            yield string_term(part)


def file_term(file_id: str) -> str:
    """Write a file on a file server as a term."""
    return f"file:{file_id}"


def name_of_raw(raw: bytes) -> str:
    """Give the name that bytes in a field of their own are; empty for none."""
    if len(raw) == ID_BYTES and raw[0] in _KINDS and raw[0]:
        return id_term(raw)
    if len(raw) == _TOKEN_BYTES and raw[0] in _KINDS and raw[2:4] == b"\0\0":
        return f"member:{raw.hex()}"
    return ""


def _printed(raw: bytes) -> str:
    """Give bytes that are a text as one; empty for others."""
    text = raw.decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


def string_term(value: str | bytes, kind: str = STRING) -> str:
    """Write a string that says nothing by itself; long ones by their beginning. Args: kind: or OF_DEVICE."""
    text = value if isinstance(value, str) else _printed(value) or value.hex()
    return f"{kind}{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}"
