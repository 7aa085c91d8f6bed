"""What the clear parts of stored bytes look like: their form, and the leaves in it.

Bencode and protobuf need no key to be taken apart. The form of a message is what remains when everything
that differs between messages of one kind is left out: field names, small numbers, how many members a list
has. Bytes that are neither, such as whole ciphertexts, show no form.

Any bytes may look like protobuf by chance. What is taken for it is written as the common writers do it, its
fields ascending, and has some fields: random bytes pass once in some hundred thousand times.
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.wire import bencode

_SMALL: Final = 1 << 16  # Assumption: larger numbers are times, ids or sizes
_DEEPEST: Final = 6  # Assumption: envelopes nest three deep
_MOST_FIELD: Final = 31  # Assumption: no message of the protocol has more fields in its clear parts
_LEAST_FIELDS: Final = (2, 3)  # outside, and inside another message. Source: messages 2.2, the wrapper
_VARINT, _LENGTH = 0, 2  # wire types of protobuf


def form_of(data: bytes) -> tuple[str, list[bytes]]:
    """Give the form of stored bytes, and the byte strings at its leaves; an empty form for none."""
    leaves: list[bytes] = []
    if data[:1] in (b"d", b"l"):
        try:
            return _of_bencode(bencode.decode(data), leaves), leaves
        except ProtocolError:
            return "", []
    form = _of_protobuf(data, leaves, 0)
    return (form, leaves) if form else ("", [])


def _of_bencode(value: Any, leaves: list[bytes]) -> str:
    if isinstance(value, bytes):
        leaves.append(value)
        return ""
    if isinstance(value, int):
        return f"={value}" if abs(value) < _SMALL else ""
    if isinstance(value, list):
        inner = {_of_bencode(member, leaves) for member in value}
        return f"[{len(value)}{' '.join(sorted(inner - {''}))}]"
    keys = (key.decode("latin-1") + _of_bencode(inner, leaves) for key, inner in value.items())
    return "{" + " ".join(keys) + "}"


def _of_protobuf(data: bytes, leaves: list[bytes], depth: int) -> str:
    """Take a protobuf message apart; empty where the bytes are none."""
    fields, at, before, found = list[str](), 0, 0, list[bytes]()
    while 0 <= at < len(data):
        tag, at = _varint(data, at)
        number = tag >> 3
        if at < 0 or not before <= number <= _MOST_FIELD or not number or tag & 7 not in (_VARINT, _LENGTH):
            return ""
        before = number
        value, at = _varint(data, at)
        if at < 0:
            return ""
        if tag & 7 == _VARINT:
            fields.append(f"{number}={value}" if value < _SMALL else f"{number}")
            continue
        inner, at = data[at : at + value], at + value
        nested: list[bytes] = []
        form = _of_protobuf(inner, nested, depth + 1) if depth < _DEEPEST else ""
        found += nested if form else [inner]
        fields.append(f"{number}{form}")
    if at != len(data) or len(fields) < _LEAST_FIELDS[min(depth, 1)]:
        return ""
    leaves += found
    return "{" + " ".join(fields) + "}"


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number; the place after it is -1 where there is none."""
    value = shift = 0
    while 0 <= at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return 0, -1
