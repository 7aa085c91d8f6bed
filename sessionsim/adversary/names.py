"""Names in bytes: what identifies somebody or something, wherever it stands.

No field is known to give anything away; a name is recognised by its own form:

    05, 03, 15, 25, 07, 00 and 64 hex digits   account, group, blinded ids, version id, key (transport 1.2)
    33 raw bytes in a field of their own, beginning so        the same
    dotted IPv4 that is no node's and no server's             a network address
    36 bytes that begin with 03 and flags                     the token of a group's member
    text in a field called `token`                            what a push platform calls a device by
    any other text or byte string of 16 bytes and more        a string that can be met again

Any of these may be spelled otherwise (`spellings`), or lie within bytes that can be taken apart
(`taken_apart`). What the protocol itself writes into a field of a known name (signatures, stored bytes,
hashes, times) is passed over as long as it looks as it should (`usual`): it is read by those who know what it
is. Whatever else a field holds, nested or not, is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from sessionsim.adversary.fields import ID_BYTES
from sessionsim.adversary.spellings import spellings
from sessionsim.adversary.taken_apart import strings_in
from sessionsim.adversary.usual import is_usual

_KINDS: Final = {0: "key", 3: "group", 5: "account", 7: "version", 0x15: "blinded", 0x25: "blinded"}
_ID_TEXT: Final = re.compile(
    r"(?:(?<![0-9a-fA-F])|(?<=0x))(00|03|05|07|15|25)([0-9a-fA-F]{64})(?![0-9a-fA-F])"
)
_LONG_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{66,}")
_BENCODED_ID: Final = re.compile(rb"33:([\x03\x05\x07\x15\x25].{32})", re.DOTALL)
_IPV4: Final = re.compile(r"(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(?![\d.])", re.ASCII)
_DEVICE_FIELD: Final = "token"  # Source: client-behaviour 6.4; messages 9
_TOKEN_BYTES: Final = 36  # Source: transport 5.2
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

# Fields whose content is read elsewhere or differs in each request by the format itself.
# Source: transport 5.2-5.8, 5.12; messages 8, 9; client-behaviour 6.4, 6.5.
PASSED_OVER: Final = frozenset((
    "signature", "subaccount_sig", "session_ed25519", "pubkey_ed25519", "data", "last_hash", "lastHash",
    "timestamp", "sig_timestamp", "sig_ts", "namespace", "namespaces", "ttl", "expiry", "max_size",
    "max_count", "messages", "hash", "method", "path", "x-sogs-nonce", "x-sogs-signature",
    "x-sogs-timestamp", "content-type", "content-length", "enc_payload",
))  # fmt: skip
# Of answers: what nodes and servers say about themselves and the swarm.
PASSED_OVER_IN_ANSWERS: Final = PASSED_OVER | frozenset((
    "swarm", "snodes", "hf", "t", "version", "service_node_states", "result", "expiries", "unchanged",
    "updated", "deleted", "code", "more", "id", "content-length", "date", "expires", "uploaded",
    "pubkey_x25519", "pubkey_legacy", "service_node_pubkey", "address",
))  # fmt: skip


@lru_cache(maxsize=_CACHED_IDS)
def id_term(raw: bytes) -> str:
    """Write an id of 33 bytes as a term; by its first byte it is of an account, a group …"""
    return f"{_KINDS.get(raw[0] if raw else -1, 'id')}:{raw.hex()}"


def names_in(fields: Any, public: Collection[str], passed_over: Collection[str] = PASSED_OVER) -> list[str]:
    """List the names in fields, each once, as terms.

    Args:
        fields: a value of JSON or bencode, of any kind.
        public: addresses that are nobody's secret: those of nodes and servers.
        passed_over: keys of fields that are not looked at.
    """
    found = dict.fromkeys(
        name
        for key, value in _leaves(fields, passed_over, 0)
        for name in _names_of(value, STRING if key != _DEVICE_FIELD else OF_DEVICE)
        if name not in public
    )
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
            if _ID_TEXT.search(text):
                yield "", text
            yield from _leaves(inner, passed_over, depth + 1, text)
    elif depth < _DEEPEST and isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, passed_over, depth + 1, field)


def _names_of(value: str | bytes, kind: str) -> Iterator[str]:
    if isinstance(value, bytes):
        name = name_of_raw(value)
        if name:
            yield name
            return
    found = dict.fromkeys(names_within(value))
    yield from found
    if found or len(value) < LEAST_STRING:
        return
    text = value if isinstance(value, str) else value.decode("latin-1") if value.isascii() else ""
    if any(character.isdigit() for character in text) or isinstance(value, bytes):  # else it is a word
        yield string_term(value, kind)


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
        yield from _names_of(pair.partition("=")[2] or pair, STRING)
    parts = path.split("/")
    for before, part in pairwise(("", *parts)):
        found = list(dict.fromkeys(names_within(part)))
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


def string_term(value: str | bytes, kind: str = STRING) -> str:
    """Write a string that says nothing by itself; long ones by their beginning. Args: kind: or OF_DEVICE."""
    text = value if isinstance(value, str) else value.hex()
    return f"{kind}{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}"
