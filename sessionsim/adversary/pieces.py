"""Bytes that stand in pieces: a list of numbers, or an id over several strings beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sessionsim.adversary.fields import ID_BYTES

_BYTE: Final = 256
_LEAST_NUMBERS: Final = 16  # bytes, as many as a string has that is looked at
_PREFIXES: Final = frozenset((0x03, 0x05, 0x07, 0x15, 0x25))  # Source: transport 1.2
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def numbers_of(values: Sequence[Any]) -> bytes:
    """Give the bytes that a list of small numbers is; empty where it is none."""
    if len(values) < _LEAST_NUMBERS or not all(type(one) is int and 0 <= one < _BYTE for one in values):
        return b""
    return bytes(values)


def put_together(strings: Sequence[str | bytes]) -> Iterator[bytes]:
    """Give each id that two or more strings are, one after the other, in hex or raw.

    Args:
        strings: of fields beside each other, in order.
    """
    for begin, first in enumerate(strings[:-1]):
        kind, whole = type(first), first
        for other in strings[begin + 1 :]:
            if type(other) is not kind or len(whole) >= 2 * ID_BYTES:
                break
            whole += other  # type: ignore[operator]
            yield from _id_of(whole)


def _id_of(whole: str | bytes) -> Iterator[bytes]:
    if isinstance(whole, bytes) and len(whole) == ID_BYTES and whole[0] in _PREFIXES:
        yield whole
        return
    text = whole.decode("latin-1") if isinstance(whole, bytes) else whole
    if len(text) == 2 * ID_BYTES and _HEX.issuperset(text):
        raw = bytes.fromhex(text)
        if raw[0] in _PREFIXES:
            yield raw
