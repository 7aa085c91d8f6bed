"""The public record: its size, both kinds of nonce, and what is no record."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import curve, real, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.v2.account_record import RECORD_BYTES, read_record, write_record
from sessionsim.protocol.v2.keys import account_keys
from sessionsim.protocol.wire import bencode

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "v2.json").read_text("utf-8"))["sections"]
FEW = settings(deadline=None, max_examples=40, derandomize=True)
# Seeds of accounts whose Ed25519 points have sign bits 1 and 0.
NEGATIVE, POSITIVE = (
    next(s for k in range(99) if curve.is_negative(real.ed25519_keypair(s := bytes([k]) * 32).public) == bit)
    for bit in (True, False)
)


def test_size_as_specified(cast: Any) -> None:
    # protocol-v2 section 4: 1302 bytes, 1736 in base64.
    record = write_record(cast.alice, cast.held[0].public, cast.raw("random"))
    assert len(record) == RECORD_BYTES == 1302
    assert len(b64encode(record)) == 1736
    assert read_record(cast.alice.id, record) == cast.held[0].public


@pytest.mark.parametrize("seed", [NEGATIVE, POSITIVE], ids=["negative", "positive"])
@pytest.mark.parametrize("random", [None, b"r" * 64], ids=["derived", "drawn"])
def test_both_nonces_and_both_signs_verify_from_the_id_alone(
    fast: Any, seed: bytes, random: bytes | None
) -> None:
    account = account_from_ed25519_seed(seed)
    assert curve.is_negative(account.ed.public) == (seed == NEGATIVE)
    record = write_record(account, fast.held[0].public, random)
    assert read_record(account.id, record) == fast.held[0].public


def test_an_ordinary_signature_verifies_only_where_the_sign_bit_is_0(fast: Any) -> None:
    keys = fast.held[0].public
    body = bencode.encode({b"M": keys.kem, b"X": keys.x})[:-1]
    for seed, valid in ((POSITIVE, True), (NEGATIVE, False)):
        account = account_from_ed25519_seed(seed)
        record = body + b"1:~64:" + real.ed25519_sign(account.ed, body) + b"e"
        if valid:
            assert read_record(account.id, record) == keys
        else:
            with pytest.raises(CannotOpen):
                read_record(account.id, record)


def test_a_derived_nonce_repeats_and_a_drawn_one_does_not(fast: Any) -> None:
    keys = fast.held[0].public
    assert write_record(fast.alice, keys, None) == write_record(fast.alice, keys, None)
    one, other = (write_record(fast.alice, keys, fast.raw(k)) for k in range(2))
    assert one != other
    assert read_record(fast.alice.id, one) == read_record(fast.alice.id, other)


def test_the_derived_nonce_is_that_of_the_document() -> None:
    # The one record of the known answers that has it, of the account of the second record there.
    (case,) = (c for c in CASES["v2_account_record_parse"]["cases"] if "deterministic" in c["input"]["what"])
    maker = CASES["v2_account_record"]["cases"][1]
    assert maker["expected"]["session_id"] == case["input"]["session_id"]
    account = account_from_ed25519_seed(bytes.fromhex(maker["input"]["root_seed"]))
    keys = account_keys(suite_named("sodium"), bytes.fromhex(maker["input"]["account_seed"]))
    assert write_record(account, keys.public, None).hex() == case["input"]["record"]


@given(st.integers(0, 1301), st.integers(1, 255))
@FEW
def test_one_altered_byte_is_refused_anywhere(place: int, change: int) -> None:
    keys = account_keys(suite_named("fast"), bytes(32)).public
    account = account_from_ed25519_seed(NEGATIVE)
    record = write_record(account, keys, b"r" * 64)
    altered = record[:place] + bytes([record[place] ^ change]) + record[place + 1 :]
    with pytest.raises(RemoteProtocolError):
        read_record(account.id, altered)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"d1:M1184:" + bytes(1184) + tail))
@FEW
def test_hostile_bytes_give_one_kind_of_error(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_record(account_from_ed25519_seed(POSITIVE).id, raw)


@pytest.mark.parametrize("account_id", [b"", b"\x05" + bytes(31), b"\x15" + bytes(32), b"\x05" + bytes(33)])
def test_an_id_that_is_none_has_no_record(fast: Any, account_id: bytes) -> None:
    record = write_record(fast.alice, fast.held[0].public, None)
    with pytest.raises(CannotOpen):
        read_record(account_id, record)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_randomness_of_another_length_is_our_mistake(fast: Any, size: int) -> None:
    with pytest.raises(LocalProtocolError):
        write_record(fast.alice, fast.held[0].public, bytes(size))
