"""Bencode: known strings, round trips, and everything a peer could get wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.wire.bencode import decode, encode

SCALARS = st.integers(-(1 << 63), (1 << 64) - 1) | st.binary(max_size=40)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"i0e", 0),
        (b"i-42e", -42),
        (b"i18446744073709551615e", (1 << 64) - 1),
        (b"0:", b""),
        (b"4:spam", b"spam"),
        (b"le", []),
        (b"de", {}),
        (b"l4:spami7ee", [b"spam", 7]),
        (b"d3:bar4:spam3:fooi42ee", {b"bar": b"spam", b"foo": 42}),
        (b"d1:ad1:bleee", {b"a": {b"b": []}}),
    ],
)
def test_known_values_read_and_write_the_same(text: bytes, value: Any) -> None:
    assert decode(text) == value
    assert encode(value) == text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"i",
        b"ie",
        b"i-e",
        b"i-0e",
        b"i01e",
        b"i+1e",
        b"i1",
        b"i1.5e",
        b"i18446744073709551616e",
        b"i-9223372036854775809e",
        b"i999999999999999999999999e",
        b"01:a",
        b"-1:a",
        b"5:spam",
        b"99999999999999:x",
        b"4spam",
        b":",
        b"e",
        b"l",
        b"lee",
        b"d",
        b"di1ei2ee",
        b"dle1:xe",
        b"d1:ae",
        b"d1:a1:xe1:b",
        b"d1:b1:x1:a1:ye",
        b"d1:a1:x1:a1:ye",
        b"i1ei2e",
        b"4:spamX",
        "i١e".encode(),
        b"x",
    ],
)
def test_malformed_text_is_refused(text: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(text)


def test_deep_nesting_is_refused_without_recursion() -> None:
    deep = b"l" * 200_000 + b"e" * 200_000
    with pytest.raises(RemoteProtocolError, match="deeply"):
        decode(deep)
    assert decode(b"l" * 32 + b"e" * 32) != []
    with pytest.raises(RemoteProtocolError, match="deeply"):
        decode(b"l" * 33 + b"e" * 33)


def test_message_beyond_the_limit_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="too long"):
        decode(b"5:spams", max_bytes=6)


def test_own_mistakes_are_local_errors() -> None:
    for value in (1.5, None, [1, object()], 1 << 64, {b"a": -(1 << 64)}):
        with pytest.raises(LocalProtocolError):
            encode(value)


def test_text_and_booleans_are_written_as_bencode_can_carry_them() -> None:
    assert encode(["é", True]) == b"l2:\xc3\xa9i1ee"


@settings(deadline=None, max_examples=200, derandomize=True)
@given(VALUES)
def test_every_value_survives_the_round_trip(value: Any) -> None:
    assert decode(encode(value)) == value


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.binary(max_size=60))
def test_random_bytes_are_read_exactly_or_refused(text: bytes) -> None:
    try:
        value = decode(text)
    except RemoteProtocolError:
        return
    assert encode(value) == text


@settings(deadline=None, max_examples=300, derandomize=True)
@given(VALUES, st.data())
def test_damaged_text_is_read_exactly_or_refused(value: Any, data: st.DataObject) -> None:
    text = bytearray(encode(value))
    if data.draw(st.booleans()):
        del text[data.draw(st.integers(0, len(text) - 1)) :]
    else:
        at = data.draw(st.integers(0, len(text) * 8 - 1))
        text[at // 8] ^= 1 << at % 8
    try:
        again = decode(bytes(text))
    except RemoteProtocolError:
        return
    assert encode(again) == bytes(text)
