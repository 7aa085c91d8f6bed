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
_LENGTH_LIMIT: Final = 9  # characters of a string's length and its colon; MAX_BYTES has 8 digits
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
    find = payload.find
    # What is open now: a list, or a dict with the key that waits for its value and the key before; around it,
    # on the stack, the same of what it stands in. The root is a list that takes the one value.
    root: list[Value] = []
    container: list[Value] | dict[bytes, Value] = root
    in_dict, key, last = False, None, None
    stack: list[tuple[Any, ...]] = []
    at = 0
    while at < size:
        first = payload[at]
        value: Value
        if 48 <= first <= 57:
            colon = find(b":", at, at + _LENGTH_LIMIT)
            digits = payload[at:colon]
            if colon < 0 or not digits.isdigit() or (first == 48 and colon != at + 1):
                raise RemoteProtocolError("bencode: malformed string length")
            start = colon + 1
            at = start + int(digits)
            if at > size:
                raise RemoteProtocolError("bencode: string longer than the message")
            value = payload[start:at]
            if in_dict and key is None:
                if last is not None and value <= last:
                    raise RemoteProtocolError("bencode: dict keys must ascend")
                key = last = value
                continue
        elif first == _END:
            if not stack or key is not None:
                raise RemoteProtocolError("bencode: unexpected end")
            at += 1
            value = container
            container, in_dict, key, last = stack.pop()
        elif in_dict and key is None:
            raise RemoteProtocolError("bencode: a dict key must be a string")
        elif first == _INT:
            value, at = _integer(payload, at)
        elif first in (_LIST, _DICT):
            if len(stack) >= max_depth:
                raise RemoteProtocolError("bencode: nested too deeply")
            stack.append((container, in_dict, key, last))
            in_dict = first == _DICT
            container = {} if in_dict else []
            key = last = None
            at += 1
            continue
        else:
            raise RemoteProtocolError("bencode: malformed string length")
        if in_dict:
            container[key] = value  # type: ignore[index]
            key = None
        else:
            container.append(value)  # type: ignore[union-attr]
            if not stack:
                break
    if stack or not root:
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
    put, pop, push = parts.append, stack.pop, stack.append
    while stack:
        item = pop()
        kind = type(item)
        if kind is bytes:
            put(b"%d:%b" % (len(item), item))
        elif kind is int:
            if not _MIN_INT <= item <= _MAX_INT:
                raise LocalProtocolError("bencode: integer out of range")
            put(b"i%de" % item)
        elif kind is dict:
            put(b"d")
            push(_CLOSE)
            for key in sorted(item, reverse=True):
                push(item[key])
                push(key)
        elif kind is list or kind is tuple:
            put(b"l")
            push(_CLOSE)
            stack += item[::-1]
        elif item is _CLOSE:
            put(b"e")
        else:
            push(_plain(item))
    return b"".join(parts)


def _plain(item: Value) -> Value:
    """Give the item as one of the types above."""
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, int):
        return int(item)
    if isinstance(item, bytes):
        return bytes(item)
    if isinstance(item, dict):
        return dict(item)
    if isinstance(item, list | tuple):
        return list(item)
    raise LocalProtocolError(f"bencode cannot carry {type(item).__name__}")
