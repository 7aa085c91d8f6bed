"""The JSON between clients and the push server, and inside a push (messages 9, client-behaviour 6.4).

Python's own writer is used for what the server writes into a push, because the server's is the same: a blank
after each comma and colon. Sizes depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from sessionsim.core.errors import RemoteProtocolError


def write_metadata(fields: Mapping[str, Any]) -> bytes:
    """Write the description of a message. Source: spns/notifiers/util.py (json.dumps)."""
    return json.dumps(fields).encode()


def write_fields(parts: Sequence[Mapping[str, Any]], *, as_list: bool) -> bytes:
    """Write requests or pushes without blanks: the first alone, or all as a list."""
    return orjson.dumps(list(parts) if as_list else parts[0])


def write_replies(replies: Sequence[Mapping[str, Any]], *, as_list: bool) -> bytes:
    """Write what the server answers: keys in alphabetical order. Source: spns/hivemind.cpp."""
    return orjson.dumps(list(replies) if as_list else replies[0], option=orjson.OPT_SORT_KEYS)


def read_parts(body: bytes) -> tuple[list[object], bool]:
    """Read an object, or a list of anything.

    Returns:
        The parts, and whether they came as a list.

    Raises:
        RemoteProtocolError: no JSON, or neither object nor list.
    """
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as wrong:
        raise RemoteProtocolError("Invalid JSON") from wrong
    if type(value) is list:
        return value, True
    if type(value) is dict:
        return [value], False
    raise RemoteProtocolError("Invalid JSON: expected object or array of objects")
