"""The dict of a group's message: the direct reading gives what the general one gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.group_dict import (
    GroupDict,
    read_group_dict,
    read_group_dict_slowly,
    write_group_dict,
)

SENDER, SIGNATURE = bytes(range(32)), bytes(range(64))
PIECES = st.sampled_from(
    [b"d0:i1e1:a32:", SENDER, b"1:d1:x", b"1:s64:", SIGNATURE, b"1:z2:xy", b"e", b"\0", b"1:"]
)


def outcome(parse: Any, padded: bytes) -> object:
    try:
        return parse(padded)
    except RemoteProtocolError:
        return "refused"


@given(body=st.binary(min_size=1, max_size=40), compressed=st.booleans(), zeros=st.integers(0, 3))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_what_is_written_is_read_and_bencode(body: bytes, compressed: bool, zeros: int) -> None:
    said = GroupDict(SENDER, body, compressed, SIGNATURE)
    written = write_group_dict(said)
    key = b"z" if compressed else b"d"
    assert written == bencode.encode({b"": 1, b"a": SENDER, b"s": SIGNATURE, key: body})
    assert read_group_dict(written + bytes(zeros)) == said
    assert read_group_dict_slowly(written + bytes(zeros)) == said


@given(
    body=st.binary(max_size=12) | st.just(b"e"),
    compressed=st.booleans(),
    at=st.integers(0, 130),
    byte=st.integers(0, 255),
    behind=st.binary(max_size=3),
    cut=st.integers(0, 3),
)
@example(b"", True, 0, 100, b"", 0)
@example(b"", False, 0, 100, b"", 0)
@example(b"x", True, 4, ord("2"), b"", 0)
@settings(deadline=None, max_examples=400, derandomize=True)
def test_direct_and_general_reading_agree_on_damage(
    body: bytes, compressed: bool, at: int, byte: int, behind: bytes, cut: int
) -> None:
    raw = bytearray(write_group_dict(GroupDict(SENDER, body, compressed, SIGNATURE)))
    raw[min(at, len(raw) - 1)] = byte
    padded = bytes(raw)[: len(raw) - cut] + behind
    assert outcome(read_group_dict, padded) == outcome(read_group_dict_slowly, padded)


@given(parts=st.lists(PIECES, max_size=8))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_direct_and_general_reading_agree_on_pieces(parts: list[bytes]) -> None:
    padded = b"".join(parts)
    assert outcome(read_group_dict, padded) == outcome(read_group_dict_slowly, padded)


@pytest.mark.parametrize(
    "fields",
    [
        {b"": 2, b"a": SENDER, b"s": SIGNATURE, b"d": b"x"},
        {b"": 1, b"a": SENDER[:31], b"s": SIGNATURE, b"d": b"x"},
        {b"": 1, b"a": SENDER, b"s": SIGNATURE[:63], b"d": b"x"},
        {b"": 1, b"a": SENDER, b"s": SIGNATURE},
        {b"": 1, b"a": SENDER, b"s": SIGNATURE, b"d": b"x", b"z": b"y"},
        {b"": 1, b"a": SENDER, b"s": SIGNATURE, b"d": b""},
        {b"": 1, b"a": SENDER, b"s": SIGNATURE, b"d": 5},
        {b"a": SENDER, b"s": SIGNATURE, b"d": b"x"},
        [1],
    ],
)
def test_other_dicts_are_refused(fields: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        read_group_dict(bencode.encode(fields))


@pytest.mark.parametrize("kept", [0, 1, 63])
def test_a_signature_cut_short_is_refused_by_both_readings(kept: int) -> None:
    said = GroupDict(SENDER, b"x", False, SIGNATURE)
    cut = write_group_dict(said).replace(SIGNATURE, SIGNATURE[:kept])
    assert outcome(read_group_dict, cut) == outcome(read_group_dict_slowly, cut) == "refused"


def test_unknown_keys_are_ignored() -> None:
    fields = {b"": 1, b"a": SENDER, b"s": SIGNATURE, b"d": b"x", b"t": b"later"}
    assert read_group_dict(bencode.encode(fields)) == GroupDict(SENDER, b"x", False, SIGNATURE)
