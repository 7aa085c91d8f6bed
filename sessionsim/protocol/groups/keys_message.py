"""The keys message, as it is stored in namespace 12 (messages 4.2).

    d 1:# 24:<nonce> 1:G i<generation>e 1:K 48:<slot of admins> 1:k l (48:<slot>)* e 1:~ 64:<signature> e
    d 1:# 24:<nonce> 1:+ l (<entry>)* e 1:G i<generation>e 1:~ 64:<signature> e              (supplement)

It is plain bencode, signed by the group's key over all that stands before the signature: a storing node
reads the generation, the number of slots, and whether keys were handed on to newcomers. What is inside the
slots is made and opened elsewhere (`rekey`, `supplement`, `loading`).

The decoder is stricter than the reference where only an admin could make a difference: numbers are canonical
and not negative, a nonce has 24 bytes. Source: libsession-util: src/config/groups/keys.cpp.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.groups.derivation import SLOT_BYTES
from sessionsim.protocol.groups.identity import Group, group_ed25519
from sessionsim.protocol.wire import bencode

# A rekey has so many slots or a multiple of it. Source: messages 4.2 (MESSAGE_KEY_MULTIPLE).
SLOT_MULTIPLE: Final = 75
# An entry of a supplement holds at least one key: d1:gi0e1:k32:…1:ti0ee in a list. Source: keys.cpp.
LEAST_ENTRY_BYTES: Final = 52 + aead.TAG_BYTES
SIGNATURE_BYTES: Final = 64  # Source: messages 4.2
MOST_BYTES: Final = 76_800  # a swarm stores no more. Source: messages 5.6
MAX_INT64: Final = (1 << 63) - 1
_SIGNATURE_FIELD: Final = b"1:~64:"


class Rekey(NamedTuple):
    """A new key for everyone. Args: admin_slot and each of slots: 48 bytes; slots include the junk."""

    nonce: bytes
    generation: int
    admin_slot: bytes
    slots: tuple[bytes, ...]


class Supplement(NamedTuple):
    """Known keys for newcomers. Args: generation: of the newest key; entries: encrypted lists of keys."""

    nonce: bytes
    generation: int
    entries: tuple[bytes, ...]


def encode(suite: Suite, group: Group, message: Rekey | Supplement) -> bytes:
    """Write and sign a keys message; 3992 bytes for up to 75 members and a generation of one digit.

    Source: messages 4.2.
    """
    fields: dict[bytes, Any] = {b"#": message.nonce, b"G": message.generation}
    if isinstance(message, Rekey):
        fields |= {b"K": message.admin_slot, b"k": list(message.slots)}
    else:
        fields[b"+"] = list(message.entries)
    signed = bencode.encode(fields)[:-1]
    return signed + _SIGNATURE_FIELD + suite.sign_stored(group.ed, signed) + b"e"


def decode(suite: Suite, group_id: bytes, raw: bytes) -> Rekey | Supplement:
    """Read a keys message and check its signature. No secret is needed.

    Args:
        raw: any bytes.

    Raises:
        CannotOpen: not signed by this group.
        RemoteProtocolError: anything else that is not a keys message.
    Source: messages 4.2.
    """
    fields = bencode.decode(raw, max_bytes=MOST_BYTES)
    if type(fields) is not dict or len(_bytes_of(fields, b"~")) != SIGNATURE_BYTES:
        raise RemoteProtocolError("a keys message is a signed dict")
    message = _supplement(fields) if b"+" in fields else _rekey(fields)
    # Fields behind the signature would be inside these bytes, which they then cannot sign.
    signed = raw[: -len(_SIGNATURE_FIELD) - SIGNATURE_BYTES - 1]
    if not suite.verify_stored(group_ed25519(group_id), signed, fields[b"~"]):
        raise CannotOpen("a keys message that the group did not sign")
    return message


def _rekey(fields: dict[bytes, Any]) -> Rekey:
    slots = _list_of(fields, b"k")
    admin_slot = _bytes_of(fields, b"K")
    if any(len(slot) != SLOT_BYTES for slot in (admin_slot, *slots)):
        raise RemoteProtocolError("a slot of a keys message has 48 bytes")
    if len(slots) % SLOT_MULTIPLE:
        raise RemoteProtocolError("a keys message has a multiple of 75 slots")
    return Rekey(_nonce_of(fields), number_of(fields, b"G"), admin_slot, slots)


def _supplement(fields: dict[bytes, Any]) -> Supplement:
    entries = _list_of(fields, b"+")
    if any(len(entry) < LEAST_ENTRY_BYTES for entry in entries):
        raise RemoteProtocolError("an entry of a supplement is too short for a key")
    return Supplement(_nonce_of(fields), number_of(fields, b"G"), entries)


def number_of(fields: dict[bytes, Any], name: bytes) -> int:
    """Read a field with a number from 0 to 2^63 − 1. Raises RemoteProtocolError."""
    found = fields.get(name)
    if type(found) is not int or not 0 <= found <= MAX_INT64:
        raise RemoteProtocolError("a keys message has numbers of 0 to 63 bits")
    return found


def _nonce_of(fields: dict[bytes, Any]) -> bytes:
    nonce = _bytes_of(fields, b"#")
    if len(nonce) != aead.NONCE_BYTES:
        raise RemoteProtocolError("the nonce of a keys message has 24 bytes")
    return nonce


def _bytes_of(fields: dict[bytes, Any], name: bytes) -> bytes:
    found = fields.get(name)
    if type(found) is not bytes:
        raise RemoteProtocolError("a keys message lacks a field")
    return found


def _list_of(fields: dict[bytes, Any], name: bytes) -> tuple[bytes, ...]:
    found = fields.get(name)
    if type(found) is not list or any(type(item) is not bytes for item in found):
        raise RemoteProtocolError("a keys message lacks a list")
    return tuple(found)
