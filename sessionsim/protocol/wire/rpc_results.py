"""What a node writes of the result of a call; stores and retrieves have ways of their own (`rpc_answers`).

A member's part of a recursive answer is a bencoded dict on its way through the swarm, and an object of the
answer for the client. Keys are in alphabetical order in both.
Source: session-storage-server: oxenss/rpc/request_handler.cpp, oxenss/server/utils.cpp json_to_bt.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.rpc_answers import Answer


def json_entry(fields: Mapping[str, Any], signature: bytes) -> bytes:
    """Write the part of the node that was asked. Args: fields: result; signature: its own, 64 bytes."""
    signed = {**fields, "signature": binascii.b2a_base64(signature, newline=False).decode()}
    return orjson.dumps(signed, option=orjson.OPT_SORT_KEYS)


def member_result(fields: Mapping[str, Any], signature: bytes) -> bytes:
    """Write the part of a member as it answers the node that was asked."""
    return bencode.encode(_bencodable({**fields, "signature": signature}))


def _bencodable(value: Any) -> Any:
    # One level of dicts: expiries by hash, or hashes by namespace.
    if isinstance(value, dict):
        return {key.encode(): _bencodable(inner) for key, inner in value.items()}
    return value


def object_answer(fields: Mapping[str, Any], hard_fork: bytes | None = None) -> Answer:
    """Write an answer of one node alone. Args: hard_fork: as JSON; None to leave it out."""
    named = dict(fields) if hard_fork is None else {**fields, "hf": orjson.Fragment(hard_fork)}
    return 200, orjson.dumps(named, option=orjson.OPT_SORT_KEYS), True


def deletes_any(entries: Mapping[str, bytes]) -> bool:
    """Say whether any member's part of a delete's answer names a deleted message."""
    return any(bool(orjson.loads(entry).get("deleted")) for entry in entries.values())


def text_of_key(key: bytes) -> bytes:
    """Write a key as base64."""
    return binascii.b2a_base64(key, newline=False)
