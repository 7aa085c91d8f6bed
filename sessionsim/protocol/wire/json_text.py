"""JSON as the reference programs write it.

    compact_json   no spaces, text as UTF-8       JSON.stringify, nlohmann::json::dump
    python_json    `, ` and `: `, ASCII only      Python's json.dumps, which the community server uses

Both keep the order of keys; libsession and the storage server sort them, so callers do. Reading is in
`frame.decode_object` and `read_json`.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError


def compact_json(value: object) -> bytes:
    """Write without spaces. Raises LocalProtocolError: a value JSON cannot carry."""
    try:
        return orjson.dumps(value)
    except TypeError as wrong:
        raise LocalProtocolError(f"not writable as JSON: {wrong}") from wrong


def python_json(value: object, *, compact: bool = False, in_order: bool = False) -> bytes:
    """Write as Python's `json` does: ASCII with escapes. Flask's jsonify is both compact and in order.

    Args:
        compact: without spaces.
        in_order: keys in alphabetical order.

    Raises:
        LocalProtocolError: a value JSON cannot carry.
    """
    separators = (",", ":") if compact else (", ", ": ")
    try:
        return json.dumps(value, separators=separators, sort_keys=in_order).encode()
    except (TypeError, ValueError, RecursionError) as wrong:
        raise LocalProtocolError(f"not writable as JSON: {wrong}") from wrong


def read_json(text: bytes) -> Any:
    """Read any JSON value. Raises RemoteProtocolError: malformed."""
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError) as wrong:
        raise RemoteProtocolError("Invalid json") from wrong
