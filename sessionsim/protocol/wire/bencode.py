"""Bencode, as nodes speak it to each other (transport 3.6, 5.1, 5.10).

    integer i<n>e     byte string <length>:<bytes>     list l…e     dict d<key><value>…e, keys ascending

The decoder is iterative and bounded: nothing a peer sends can make it recurse, allocate more than the
message is long, or parse a number of unbounded length. It is strict: no leading zeros, no `-0`, keys sorted
and distinct, nothing after the value. Source: session-storage-server uses oxenc bt_serialize, which reads
dicts in key order.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError

# A value is an int, bytes, a list of values or a dict of bytes to values.
Value = Any

# Source: OMQ and HTTPS bodies are at most 10 MiB (transport 3.5).
MAX_BYTES: Final = 10 * 1024 * 1024
# Assumption: far above the four levels any message of the protocol has.
MAX_DEPTH: Final = 32
# Source: oxenc reads integers into 64 bits: 19 digits and a sign, 20 digits unsigned.
_INTEGER: Final = re.compile(rb"i(0|-?[1-9]\d{0,19})e", re.ASCII)
_LENGTH: Final = re.compile(rb"(0|[1-9]\d{0,7}):", re.ASCII)
_MIN_INT: Final = -(1 << 63)
_MAX_INT: Final = (1 << 64) - 1

_LIST: Final = ord("l")
_DICT: Final = ord("d")
_INT: Final = ord("i")
_END: Final = ord("e")


def decode(payload: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Value:
    """Parse exactly one value.

    Args:
        payload: the whole message.
        max_bytes: longest message looked at, bytes.
        max_depth: how many lists and dicts may stand inside each other.

    Returns:
        int, bytes, list, or dict with bytes keys.

    Raises:
        RemoteProtocolError: anything else than one well-formed value, or a limit exceeded.
    """
    size = len(payload)
    if size > max_bytes:
        raise RemoteProtocolError("bencode: message too long")
    # The root list takes the one value; a dict's unfinished key waits on `keys` beside its container.
    root: list[Value] = []
    stack: list[list[Value] | dict[bytes, Value]] = [root]
    keys: list[bytes | None] = [None]
    at = 0
    while at < size:
        first = payload[at]
        container, key = stack[-1], keys[-1]
        value: Value
        if first == _END:
            if len(stack) == 1 or key is not None:
                raise RemoteProtocolError("bencode: unexpected end")
            at += 1
            value = stack.pop()
            keys.pop()
            container, key = stack[-1], keys[-1]
        elif first in (_LIST, _DICT):
            if len(stack) > max_depth:
                raise RemoteProtocolError("bencode: nested too deeply")
            if type(container) is dict and key is None:
                raise RemoteProtocolError("bencode: a dict key must be a string")
            stack.append([] if first == _LIST else {})
            keys.append(None)
            at += 1
            continue
        elif first == _INT:
            value, at = _integer(payload, at)
        else:
            value, at = _string(payload, at)
        if type(container) is dict:
            if key is None:
                keys[-1] = _next_key(container, value)
                continue
            container[key] = value
            keys[-1] = None
        else:
            container.append(value)  # type: ignore[union-attr]
        if len(stack) == 1:
            break
    if len(stack) != 1 or len(root) != 1:
        raise RemoteProtocolError("bencode: message cut off")
    if at != size:
        raise RemoteProtocolError("bencode: bytes after the value")
    return root[0]


def _integer(payload: bytes, at: int) -> tuple[int, int]:
    match = _INTEGER.match(payload, at)
    if match is None:
        raise RemoteProtocolError("bencode: malformed integer")
    value = int(match[1])
    if not _MIN_INT <= value <= _MAX_INT:
        raise RemoteProtocolError("bencode: integer out of range")
    return value, match.end()


def _string(payload: bytes, at: int) -> tuple[bytes, int]:
    match = _LENGTH.match(payload, at)
    if match is None:
        raise RemoteProtocolError("bencode: malformed string length")
    start = match.end()
    end = start + int(match[1])
    if end > len(payload):
        raise RemoteProtocolError("bencode: string longer than the message")
    return payload[start:end], end


def _next_key(container: dict[bytes, Value], key: Value) -> bytes:
    if type(key) is not bytes:
        raise RemoteProtocolError("bencode: a dict key must be a string")
    if container and key <= next(reversed(container)):
        raise RemoteProtocolError("bencode: dict keys must ascend")
    return key


class _Close:
    """Marks, on the encoder's stack, where a list or dict ends."""


_CLOSE: Final = _Close()


def encode(value: Value) -> bytes:
    """Write one value; dict keys are sorted, `str` is written as UTF-8, `bool` as 0 or 1.

    Raises:
        LocalProtocolError: a type or an integer that bencode cannot carry.
    """
    parts: list[bytes] = []
    stack: list[Value] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            item = item.encode()
        if isinstance(item, bytes):
            parts.append(b"%d:%b" % (len(item), item))
        elif isinstance(item, int):
            if not _MIN_INT <= item <= _MAX_INT:
                raise LocalProtocolError("bencode: integer out of range")
            parts.append(b"i%de" % item)
        elif isinstance(item, dict):
            parts.append(b"d")
            stack.append(_CLOSE)
            for key in sorted(item, reverse=True):
                stack.append(item[key])
                stack.append(key)
        elif isinstance(item, list | tuple):
            parts.append(b"l")
            stack.append(_CLOSE)
            stack.extend(reversed(item))
        elif item is _CLOSE:
            parts.append(b"e")
        else:
            raise LocalProtocolError(f"bencode cannot carry {type(item).__name__}")
    return b"".join(parts)
