"""What the protocol itself writes into fields of known names.

Such a field is read by those who know what it is, and says nothing else as long as it looks as it should. A
field of a known name that holds something else is looked at like any other.

Source: transport 5.2-5.8, 5.12; messages 8, 9; client-behaviour 6.4, 6.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SIGNATURE: Final = frozenset((64, 86, 88))  # raw, base64 without and with padding
_KEY: Final = frozenset((32, 64))  # raw, hex
_ID: Final = frozenset((33, 66))
_HASH: Final = frozenset((0, 43, 44))
_LONGEST_NUMBER: Final = 20  # digits of 64 bits
_LONGEST_WORD: Final = 15  # Assumption: a name of a method, a host or a type is longer only without digits
_LENGTHS: Final = {
    **dict.fromkeys(("signature", "subaccount_sig", "x-sogs-signature", "x-fs-signature"), _SIGNATURE),
    **dict.fromkeys(
        ("session_ed25519", "pubkey_ed25519", "pubkey_x25519", "pubkey_legacy", "service_node_pubkey"), _KEY
    ),
    **dict.fromkeys(("pubkey", "pubKey"), _ID),
    **dict.fromkeys(("last_hash", "lasthash", "hash"), _HASH),
    "x-sogs-nonce": frozenset((22, 24)),
    "id": _HASH,  # of a file
    "date": frozenset((29,)),  # as HTTP writes it
    "address": frozenset((58,)),  # of a node: 52 characters and .snode
    "swarm": frozenset(range(17)),  # a number in hex
}
_STORED: Final = frozenset(("hash", "timestamp", "expiration", "data"))  # of a message that is handed out
_ENTRY: Final = frozenset(("hash", "signature", "expiry", "already", "t"))  # of a member, under its key
_KEY_HEX: Final = 64
_TEXT: Final = (str, bytes)
_OPAQUE: Final = frozenset(("data", "enc_payload", "path"))  # looked at, or closed: by others


def is_usual(field: str, value: Any) -> bool:
    """Say whether a field of a known name holds what belongs there. Args: field: its name."""
    kind = type(value)
    if kind is int or kind is bool or kind is float or value is None:
        return True
    if kind is str or kind is bytes:
        return field in _OPAQUE or len(value) in _LENGTHS.get(field, ()) or _is_word(value)
    if kind is list:
        if value and type(value[0]) is dict:
            return all(type(one) is dict and are_usual(one, _STORED) for one in value)
        return all(type(one) is int or (type(one) in _TEXT and len(one) in _HASH) for one in value)
    return kind is dict and all(
        type(key) is str and len(key) == _KEY_HEX and type(inner) is dict and are_usual(inner, _ENTRY)
        for key, inner in value.items()
    )


def _is_word(value: str | bytes) -> bool:
    """Say whether a text is a number, or a word without digits, as names of methods and types are."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if len(text) <= _LONGEST_NUMBER and text.lstrip("-").isdigit():
        return True
    if text.count(".") > 2:
        return False
    return len(text) <= _LONGEST_WORD or not any(character.isdigit() for character in text)


def are_usual(fields: Mapping[str, Any], known: frozenset[str]) -> bool:
    """Say whether all fields are of known names and hold what belongs there."""
    if not known.issuperset(fields):
        return False
    for field, value in fields.items():  # the most frequent kinds first: this is asked of every call
        kind = type(value)
        if kind is int or kind is bool or (kind is str and len(value) in _LENGTHS.get(field, ())):
            continue
        if kind is list and not value:
            continue
        if not is_usual(field, value):
            return False
    return True
