"""The dict inside a group's message: who says it, what is said, and the signature (messages 4.3).

    "" version 1, a sender's Ed25519 key, d body or z compressed body, s signature; zeros behind it

Whoever writes as clients do is read directly; anything else goes through the general parser, with equal
results (property-tested).
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import bencode

VERSION: Final = 1  # Source: messages 4.3
SIGNATURE_BYTES: Final = 64  # Source: messages 4.3
KEY_BYTES: Final = 32  # of Ed25519. Source: messages 4.3
# Up to where the body begins, in both forms; and what follows a plain body.
_PLAIN: Final = re.compile(rb"d0:i1e1:a32:(.{32})1:d([1-9]\d{0,6}):", re.DOTALL)
_FRAME: Final = re.compile(rb"d0:i1e1:a32:(.{32})1:s64:(.{64})1:z([1-9]\d{0,6}):", re.DOTALL)
_TAIL: Final = re.compile(rb"1:s64:(.{64})e\0*\Z", re.DOTALL)


class GroupDict(NamedTuple):
    """What stands in the dict. Args: compressed: the body is a zstd frame."""

    sender: bytes
    body: bytes
    compressed: bool
    signature: bytes


def write_group_dict(said: GroupDict) -> bytes:
    """Write the dict; `read_group_dict` checks the lengths that this does not."""
    sender, body, compressed, signature = said
    if compressed:
        return b"d0:i1e1:a32:%b1:s64:%b1:z%d:%be" % (sender, signature, len(body), body)
    return b"d0:i1e1:a32:%b1:d%d:%b1:s64:%be" % (sender, len(body), body, signature)


def read_group_dict(padded: bytes) -> GroupDict:
    """Read the dict, with or without zeros behind it.

    Raises:
        RemoteProtocolError: another version, or not of this form.
    """
    frame = _FRAME.match(padded)
    if frame is not None:
        start = frame.end()
        end = start + int(frame[3])
        if padded[end : end + 1] == b"e" and not padded[end + 1 :].strip(b"\0"):
            return GroupDict(frame[1], padded[start:end], True, frame[2])
    plain = _PLAIN.match(padded)
    if plain is not None:
        start = plain.end()
        end = start + int(plain[2])
        tail = _TAIL.match(padded, end)
        if tail is not None:
            return GroupDict(plain[1], padded[start:end], False, tail[1])
    return read_group_dict_slowly(padded)


def read_group_dict_slowly(padded: bytes) -> GroupDict:
    """`read_group_dict` by the general parser."""
    fields = bencode.decode(padded.rstrip(b"\0"))
    if type(fields) is not dict or type(fields.get(b"")) is not int or fields[b""] != VERSION:
        raise RemoteProtocolError("a group message of another version")
    sender, signature = _sized(fields, b"a", KEY_BYTES), _sized(fields, b"s", SIGNATURE_BYTES)
    plain, frame = _body(fields, b"d"), _body(fields, b"z")
    if (plain is None) == (frame is None):
        raise RemoteProtocolError("a group message has one body, compressed or not")
    return GroupDict(sender, frame or plain or b"", frame is not None, signature)


def _sized(fields: dict[bytes, Any], name: bytes, size: int) -> bytes:
    found = fields.get(name)
    if type(found) is not bytes or len(found) != size:
        raise RemoteProtocolError("a group message lacks a field, or it has another length")
    return found


def _body(fields: dict[bytes, Any], name: bytes) -> bytes | None:
    found = fields.get(name)
    if found is not None and (type(found) is not bytes or not found):
        raise RemoteProtocolError("the body of a group message is not empty")
    return found
