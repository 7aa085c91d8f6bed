"""Link requests on the wire, and their emoji."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.v2.devices import emoji
from sessionsim.protocol.v2.devices.link_request import (
    NotForUs,
    open_request,
    seal_request,
    write_plaintext,
)
from sessionsim.protocol.v2.devices.payload import decode_payload, encode_payload
from sessionsim.protocol.v2.devices.record import DeviceRecord
from sessionsim.protocol.v2.keys import PublicKeys, account_keys
from sessionsim.protocol.v2.seed_ring import AccountSeed
from sessionsim.protocol.wire import bencode

RECORD = DeviceRecord(1234, 1_777_000_000, PublicKeys(b"M" * 1184, b"X" * 32), b"d" * 28, b"i", 2_025_000)
DEVICE = b"\x07" * 32


def request(cast: Any, place: int = 0) -> bytes:
    plaintext = write_plaintext(cast.suite, cast.alice, DEVICE, RECORD)
    link_x = cast.held[place].x.public
    raw: bytes = seal_request(cast.suite, cast.alice, link_x, plaintext, cast.raw("e", 32))
    return raw


def test_size_of_the_specification(cast: Any) -> None:
    # protocol-v2 section 9: about 1,497 bytes at a description of 28.
    assert len(request(cast)) == 1497


@pytest.mark.parametrize("place", [0, 1, 2])
def test_members_read_it_also_under_a_key_that_was_replaced(cast: Any, place: int) -> None:
    opened = open_request(cast.suite, cast.alice, cast.held, request(cast, place))
    assert (opened.device_id, opened.record) == (DEVICE, RECORD)
    assert opened.plaintext == write_plaintext(cast.suite, cast.alice, DEVICE, RECORD)


def test_others_do_not(cast: Any) -> None:
    raw = request(cast)
    with pytest.raises(NotForUs):  # a removed device: it has the account seed and no newer key
        open_request(cast.suite, cast.alice, cast.held[1:], raw)
    with pytest.raises(NotForUs):
        open_request(cast.suite, cast.bob, cast.held, raw)
    fields = bencode.decode(raw)
    for key in (b"L", b"i", b"E"):
        altered = bencode.encode(fields | {key: bytes([fields[key][0] ^ 1]) + fields[key][1:]})
        with pytest.raises(NotForUs):
            open_request(cast.suite, cast.alice, cast.held, altered)


def test_a_request_that_the_account_did_not_sign_is_refused(cast: Any) -> None:
    # The link key is public, so anyone can encrypt to it.
    plaintext = write_plaintext(cast.suite, cast.eve, DEVICE, RECORD)
    raw = seal_request(cast.suite, cast.alice, cast.held[0].x.public, plaintext, cast.raw("e", 32))
    with pytest.raises(RemoteProtocolError, match="did not sign"):
        open_request(cast.suite, cast.alice, cast.held, raw)


@pytest.mark.parametrize(("levels", "read"), [(29, True), (30, False)])
def test_a_record_deeper_than_the_group_can_read_is_refused(fast: Any, levels: int, read: bool) -> None:
    deep: list[Any] = []
    for _ in range(levels - 1):
        deep = [deep]
    later = replace(RECORD, extra={b"~": deep})
    plaintext = write_plaintext(fast.suite, fast.alice, DEVICE, later)
    raw = seal_request(fast.suite, fast.alice, fast.held[0].x.public, plaintext, fast.raw("e", 32))
    payload = encode_payload({DEVICE: later}, [AccountSeed(bytes(32), 5)])
    if read:
        assert open_request(fast.suite, fast.alice, fast.held, raw).record == later
        assert decode_payload(payload).devices[DEVICE].record == later  # type: ignore[union-attr]
        return
    with pytest.raises(RemoteProtocolError, match="deep"):
        open_request(fast.suite, fast.alice, fast.held, raw)
    with pytest.raises(RemoteProtocolError, match="deep"):
        decode_payload(payload)


def test_requests_show_nothing_twice(fast: Any) -> None:
    plaintext = write_plaintext(fast.suite, fast.alice, DEVICE, RECORD)
    one, other = (
        bencode.decode(
            seal_request(fast.suite, fast.alice, fast.held[0].x.public, plaintext, fast.raw(k, 32))
        )
        for k in range(2)
    )
    assert {key for key in one if one[key] == other[key]} == {b""}


SUITE, ACCOUNT = suite_named("fast"), account_from_ed25519_seed(b"a" * 32)
HELD = [account_keys(SUITE, bytes([k]) * 32) for k in range(2)]


@given(st.binary(max_size=120))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_hostile_bytes_give_one_kind_of_error(raw: bytes) -> None:
    inside = seal_request(SUITE, ACCOUNT, HELD[0].x.public, raw, b"e" * 32)
    for hostile in (raw, b"d0:1:L" + raw, inside):
        with pytest.raises(RemoteProtocolError):
            open_request(SUITE, ACCOUNT, HELD, hostile)


def test_keys_that_are_none_are_refused(cast: Any) -> None:
    plaintext = write_plaintext(cast.suite, cast.alice, DEVICE, RECORD)
    with pytest.raises(CannotOpen):
        seal_request(cast.suite, cast.alice, b"short", plaintext, cast.raw("e", 32))
    with pytest.raises(LocalProtocolError):
        write_plaintext(cast.suite, cast.alice, b"short", RECORD)


def test_emoji_are_21_positions_of_six_bits_lowest_first() -> None:
    assert emoji.positions(bytes(16)) == (0,) * 21
    assert emoji.positions(b"\x3f" + bytes(15)) == (63,) + (0,) * 20
    assert emoji.positions(b"\x40" + bytes(15)) == (0, 1) + (0,) * 19
    assert emoji.positions(b"\xff" * 16) == (63,) * 21  # 126 of the 128 bits
    assert (emoji.LINK_SHOWN, emoji.GROUP_SHOWN) == (7, 4)


def test_emoji_of_another_request_differ(fast: Any) -> None:
    plaintext = write_plaintext(fast.suite, fast.alice, DEVICE, RECORD)
    seen = {emoji.positions(emoji.link_seed(text))[:7] for text in (plaintext, plaintext + b"\0", b"")}
    assert len(seen) == 3
    assert emoji.group_seed(bytes(8)) != emoji.group_seed(bytes(7) + b"\x01")
