"""Bytes that can be taken apart without a key: bencode and protobuf, down to the strings in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.wire import bencode

_DEEPEST: Final = 12  # Assumption: nothing of the protocol nests deeper
_MARK: Final = b"\x80"  # ends what is filled up with zeros. Source: messages 2.1
_VARINT, _LENGTH = 0, 2  # wire types of protobuf


def strings_in(raw: bytes) -> Iterator[tuple[bytes, bool]]:
    """Give bytes themselves, and every string in them where they can be taken apart.

    Returns:
        Each with whether it is taken apart no further.
    """
    return _strings(raw, 0)


def _strings(raw: bytes, depth: int) -> Iterator[tuple[bytes, bool]]:
    if depth >= _DEEPEST or not raw:
        yield raw, True
        return
    if raw[:1] in (b"d", b"l"):
        try:
            value = bencode.decode(raw.rstrip(b"\0"))
        except ProtocolError:
            pass
        else:
            yield raw, False
            yield from _in_bencode(value, depth)
            return
    fields = _fields(raw) or _fields(raw.rstrip(b"\0").removesuffix(_MARK))
    yield raw, not fields
    for inner in fields:
        yield from _strings(inner, depth + 1)


def _in_bencode(value: Any, depth: int) -> Iterator[tuple[bytes, bool]]:
    if isinstance(value, bytes):
        yield from _strings(value, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _in_bencode(inner, depth)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key, True
            yield from _in_bencode(inner, depth)


def _fields(raw: bytes) -> list[bytes]:
    """Give the strings in a protobuf message; none where the bytes are none."""
    found, at = list[bytes](), 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        if at < 0 or not tag >> 3 or tag & 7 not in (_VARINT, _LENGTH):
            return []
        value, at = _varint(raw, at)
        if at < 0:
            return []
        if tag & 7 == _LENGTH:
            found.append(raw[at : at + value])
            at += value
    return found if at == len(raw) else []


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(raw) and shift < 64:
        byte = raw[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return 0, -1
