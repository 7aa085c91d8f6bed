"""Handing the known keys to newcomers who may read what was written before (messages 4.2).

    entry = the list of keys (generation g, key k, time t in ms), encrypted from the group to the newcomer

No key changes and nothing is filled up: the storing nodes see how many were added, and from an entry's
length how many keys the group has had.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.groups.derivation import supplement_nonce
from sessionsim.protocol.groups.identity import Group
from sessionsim.protocol.groups.key_ring import GroupKey
from sessionsim.protocol.groups.keys_message import MAX_INT64, Supplement, encode, number_of
from sessionsim.protocol.groups.rekey import MEMBER_DOMAIN
from sessionsim.protocol.multi_encrypt import encrypt
from sessionsim.protocol.wire import bencode


def supplement(suite: Suite, group: Group, held: Sequence[GroupKey], recipient_ids: Sequence[bytes]) -> bytes:
    """Write a supplement for namespace 12; the same for every admin who holds the same keys.

    Args:
        held: `KeyRing.held`, not empty; a pending key is not handed on.
        recipient_ids: account ids (33 bytes); their order enters the nonce. One whose key is no usable curve
            point gets no entry.

    Raises:
        LocalProtocolError: no keys, no recipient that can be written to, or an id that is no account id.
    Source: messages 4.2; libsession-util: src/config/groups/keys.cpp (key_supplement).
    """
    if not held:
        raise LocalProtocolError("a supplement needs at least one key")
    plaintext = bencode.encode([{b"g": key.generation, b"k": key.key, b"t": key.time_ms} for key in held])
    nonce = supplement_nonce(group, recipient_ids, plaintext)
    recipients = [recipient[1:] for recipient in recipient_ids]
    entries = encrypt(suite, [plaintext], recipients, nonce, group.x, MEMBER_DOMAIN, skip_unusable=True)
    if not entries:
        raise LocalProtocolError("a supplement needs at least one recipient with a usable key")
    return encode(suite, group, Supplement(nonce, held[-1].generation, tuple(entries)))


def keys_of_entry(plaintext: bytes) -> tuple[GroupKey, ...]:
    """Read an opened entry.

    Raises:
        RemoteProtocolError: not a list of keys.
    """
    listed = bencode.decode(plaintext)
    if type(listed) is not list:
        raise RemoteProtocolError("a supplement holds a list of keys")
    return tuple(_key_of(fields) for fields in listed)


def _key_of(fields: object) -> GroupKey:
    if type(fields) is not dict:
        raise RemoteProtocolError("a supplement holds a list of keys")
    key, time_ms = fields.get(b"k"), fields.get(b"t")
    if type(key) is not bytes or len(key) != aead.KEY_BYTES:
        raise RemoteProtocolError("a key in a supplement has 32 bytes")
    if type(time_ms) is not int or not -MAX_INT64 <= time_ms <= MAX_INT64:
        raise RemoteProtocolError("a key in a supplement has a time")
    return GroupKey(number_of(fields, b"g"), time_ms, key)
