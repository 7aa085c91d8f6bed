"""Versions of a config: reference bytes and hashes, signatures, unknown keys, malformed messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.configs.message import (
    Draft,
    Version,
    first_message,
    hash_of,
    next_draft,
    read_message,
)
from sessionsim.protocol.crypto import real
from sessionsim.protocol.wire import bencode

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "configs.json").read_text("utf-8"))["groups"]
REFERENCE = GROUPS["reference:config_message"]
CASES = {case["name"].split(" (")[0]: case for case in GROUPS["messages:config_message"]}
EMPTY = b"d1:#i0e1:&de1:<le1:=dee"
SIGNED = REFERENCE["signature"]
GROUP = real.ed25519_keypair(bytes.fromhex(SIGNED["seed"]))
FOO_BAR = {b"foo": 123, b"bar": {b"asdf": 123, b"xyz": b"abc", b"": frozenset((b"a", b"b", 42))}}


def sign(signed: bytes) -> bytes:
    return real.ed25519_sign(GROUP, signed)


def verify(signed: bytes, signature: bytes) -> bool:
    return real.ed25519_verify(GROUP.public, signed, signature)


def test_the_first_version_of_every_config() -> None:
    case = CASES["hash of empty seqno-0 message"]
    first = first_message()
    assert first.raw == EMPTY == case["input"]["serialized_utf8"].encode()
    assert first.version == Version(0, bytes.fromhex(case["expected"]))


def test_versions_without_change_have_the_hashes_of_the_reference(example: SimpleNamespace) -> None:
    case = CASES["chain of no-change increments 119..122: hashes"]
    assert example.m118.raw.hex() == case["input"]["m118_serialized_hex"]
    hashes = [example.unchanged(example.m118, times).version.hash.hex() for times in range(1, 5)]
    assert hashes == case["expected"]


def test_an_ordinary_update_has_the_bytes_and_hash_of_the_reference(example: SimpleNamespace) -> None:
    case = CASES["m123 hash"]
    assert example.m123.raw.hex() == case["input"]["serialized_hex"]
    assert example.m123.version == Version(123, bytes.fromhex(case["expected"]))
    assert example.unchanged(example.m123).version.hash.hex() == REFERENCE["after_123_unchanged"]


def test_large_and_conflicting_updates_have_the_hashes_of_the_reference(example: SimpleNamespace) -> None:
    for name in ("124", "125a", "125b"):
        assert getattr(example, f"m{name}").version.hash.hex() == REFERENCE[name], name


def test_a_chain_from_seqno_10_has_the_hashes_of_the_reference(example: SimpleNamespace) -> None:
    messages = [example.from_scratch(10, {**FOO_BAR})]
    second = next_draft(messages[0])
    del second.data[b"foo"]
    messages.append(second.finish())
    third = next_draft(messages[1])
    third.data[b"foo"] = 123
    third.data[b"bar"].update({b"xyz": 42, b"a": 42, b"": frozenset((b"a", b"c", 42, 99))})
    messages.append(third.finish())
    messages += [example.unchanged(messages[2], times) for times in (1, 2, 3)]
    assert [message.version.hash.hex() for message in messages] == REFERENCE["from_10"]
    # Of the rows before seqno 15, the first is too far back.
    assert [version.seqno for version in messages[5].lags] == [11, 12, 13, 14]


def test_a_read_message_is_the_one_that_was_written(example: SimpleNamespace) -> None:
    for message in (example.m118, example.m123, example.m124, example.m125a):
        assert read_message(message.raw) == message


def test_finishing_twice_gives_the_same_and_later_changes_do_not_show(example: SimpleNamespace) -> None:
    draft = next_draft(example.m123)
    first = draft.finish()
    assert draft.finish() == first
    draft.data[b"dictB"][b"foo"] = 0
    assert first.data == example.m123.data == read_message(first.raw).data
    assert draft.finish().diff == {b"dictB": {b"foo": b""}}


def test_the_signature_of_the_reference_covers_everything_before_it() -> None:
    assert GROUP.public.hex() == SIGNED["pubkey"]
    message = Draft(10, FOO_BAR, {}, {}, {}).finish(sign)
    assert message.raw.endswith(b"1:~64:" + bytes.fromhex(SIGNED["signature"]) + b"e")
    assert message.version.hash == hash_of(message.raw)
    assert read_message(message.raw, verify=verify) == message


def test_a_wrong_or_missing_signature_is_refused_where_one_is_needed() -> None:
    raw = Draft(10, FOO_BAR, {}, {}, {}).finish(sign).raw
    broken = raw[:-2] + bytes([raw[-2] ^ 0x10]) + raw[-1:]
    read_message(broken)  # who does not know the group's key cannot tell
    for wrong in (broken, Draft(10, FOO_BAR, {}, {}, {}).finish().raw, raw.replace(b"i123e", b"i124e")):
        with pytest.raises(RemoteProtocolError):
            read_message(wrong, verify=verify)


def test_unknown_keys_stay_in_their_places(example: SimpleNamespace) -> None:
    raw = b"d1:#i7e1:$3:abc1:&d1:ai1ee1:'li5ee1:<le1:=d1:a0:e1:Zd1:xi1eee"
    message = read_message(raw)
    after = next_draft(message).finish().raw
    row = b"li7e32:" + hash_of(raw) + b"d1:a0:ee"
    assert after == b"d1:#i8e1:$3:abc1:&d1:ai1ee1:'li5ee1:<l" + row + b"e1:=de1:Zd1:xi1eee"
    signed = next_draft(message).finish(sign).raw
    assert signed.startswith(after[:-1] + b"1:~64:")
    assert read_message(signed, verify=verify).unknown == message.unknown


def test_rows_too_far_back_are_dropped_in_reading(example: SimpleNamespace) -> None:
    message = example.unchanged(example.m118, 4)
    assert [version.seqno for version in read_message(message.raw).lags] == [118, 119, 120, 121]
    assert [version.seqno for version in read_message(message.raw, lag=3).lags] == [120, 121]


ROW = b"li6e32:" + bytes(32) + b"dee"


def framed(data: bytes = b"de", lags: bytes = b"le", diff: bytes = b"de", end: bytes = b"") -> bytes:
    return b"d1:#i7e1:&" + data + b"1:<" + lags + b"1:=" + diff + end + b"e"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"le",
        b"de",
        b"i5e",
        EMPTY[:-1],
        EMPTY + b"e",
        b"d1:!i1e" + EMPTY[1:],  # a key before the seqno
        b"d1:#1:x1:&de1:<le1:=dee",
        b"d1:#i9223372036854775807e1:&de1:<le1:=dee",
        b"d1:#i18446744073709551615e1:&de1:<le1:=dee",
        b"d1:#i1e1:<le1:=dee",  # no data
        b"d1:#i1e1:&de1:=dee",
        b"d1:#i1e1:&de1:<lee",
        b"d1:#i1e1:=de1:&de1:<lee",  # unsorted
        b"d1:#i1e1:#i1e1:&de1:<le1:=dee",  # twice
        framed(data=b"le"),
        framed(data=b"i1e"),
        framed(data=b"d0:lee"),
        framed(data=b"d0:dee"),
        framed(data=b"d1:ali2ei1eee"),
        framed(data=b"d1:ai9223372036854775808ee"),
        framed(lags=b"de"),
        framed(lags=b"l0:e"),
        framed(lags=b"llee"),
        framed(lags=b"lli6e31:" + bytes(31) + b"deee"),
        framed(lags=b"lli6ei5edeee"),
        framed(lags=b"lli7e32:" + bytes(32) + b"deee"),  # not older
        framed(lags=b"l" + ROW + ROW + b"e"),  # twice
        framed(lags=b"l" + ROW + ROW.replace(b"i6e", b"i5e") + b"e"),  # unsorted
        framed(lags=b"lli6e32:" + bytes(32) + b"de0:ee"),  # four parts
        framed(lags=b"lli6e32:" + bytes(32) + b"leee"),
        framed(diff=b"le"),
        framed(diff=b"d1:ai1ee"),
        framed(end=b"1:~64:" + bytes(64) + b"2:~~0:"),
        framed(end=b"1:~63:" + bytes(63)),
        framed(end=b"1:~i5e"),
        framed(end=b"1:\x7f0:"),
        framed(data=b"d" + b"1:ad" * 40 + b"1:ai1e" + b"e" * 41),
        framed(data=b"d1:ai" + b"9" * 400 + b"ee"),
    ],
)
def test_malformed_messages_are_refused(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_message(raw)


def test_the_frame_of_the_malformed_ones_is_right_otherwise() -> None:
    read_message(framed(lags=b"l" + ROW + b"e", end=b"1:~64:" + bytes(64)))


def positions(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path to every value inside a parsed message."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from positions(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """Give a copy with another value at a path."""
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def test_a_value_of_a_wrong_type_at_any_place_gives_only_refusals(example: SimpleNamespace) -> None:
    parsed = bencode.decode(example.m124.raw)
    refused = 0
    for path in positions(parsed):
        for wrong in (5, -1, b"", b"-", b"text", [], [[], []], [1, b"a"], {}, {b"k": {}}, {b"k": b""}):
            raw = bencode.encode(replaced(parsed, path, wrong))
            try:
                assert read_message(raw).raw == raw
            except RemoteProtocolError:
                refused += 1
    assert refused > 500


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_altered_bytes_give_only_refusals(data: st.DataObject) -> None:
    raw = bytearray(Draft(10, FOO_BAR, {}, {Version(9, bytes(32)): {b"a": [[1], [b"x"]]}}, {}).finish().raw)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with suppress(RemoteProtocolError):
        read_message(bytes(raw))
