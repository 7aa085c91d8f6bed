"""Encryption to a group: the reference's bytes, padding, versions of the signature, and every refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import ScalarKey, aead, curve, suite_named
from sessionsim.protocol.groups import group_from_seed
from sessionsim.protocol.groups.encryption import (
    MOST_PLAINTEXT_BYTES,
    Body,
    body_of,
    decrypt,
    decrypt_body,
    encrypt,
    encrypt_body,
)
from sessionsim.protocol.identity import account_from_ed25519_seed, account_from_seed, account_id_of_ed25519
from sessionsim.protocol.wire import bencode

FOLDER = Path(__file__).parents[2] / "vectors"
LIBSESSION = json.loads((FOLDER / "libsession.json").read_text("utf-8"))
POINTS = json.loads((FOLDER / "refused_points.json").read_text("utf-8"))
SMALL_ORDER = POINTS["groups"]["made:small_order"]
CASES = LIBSESSION["sections"]["groups"]["cases"]
REAL, FAST = suite_named("sodium", memo=False), suite_named("fast")
GROUP, OTHER = group_from_seed(b"g" * 32), group_from_seed(b"o" * 32)
ALICE = account_from_seed(b"a" * 16)
KEY, NONCE = bytes(range(32)), bytes(range(24))


def seal(fields: dict[bytes, Any], *, padding: bytes = b"") -> bytes:
    """Encrypt any dict as a member could."""
    return NONCE + aead.seal(bencode.encode(fields) + padding, NONCE, KEY)


def fields_of(body: bytes = b"hello", name: bytes = b"d", **changes: Any) -> dict[bytes, Any]:
    """Give the dict of a good message, with changes; None takes a field away."""
    fields: dict[bytes, Any] = {
        b"": 1,
        b"a": ALICE.ed.public,
        name: body,
        b"s": FAST.sign_stored(ALICE.ed, body + GROUP.ed.public),
    }
    fields |= {key.encode() if key != "version" else b"": value for key, value in changes.items()}
    return {key: value for key, value in fields.items() if value is not None}


def opened(ciphertext: bytes, **rules: Any) -> bytes:
    return decrypt(FAST, GROUP.id, [KEY], ciphertext, **rules).plaintext


# ---- Reference values ----


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_message_of_the_reference_opens_and_is_rebuilt(case: dict[str, Any]) -> None:
    group = group_from_seed(bytes.fromhex(case["input"]["group_seed"]))
    admin = account_from_ed25519_seed(bytes.fromhex(case["input"]["admin_seed"]))
    expected, key = case["expected"], bytes.fromhex(case["expected"]["group_keys"][0])
    stored, plaintext = bytes.fromhex(expected["encrypted_message"]), bytes.fromhex(case["input"]["message"])
    found = decrypt(REAL, group.id, [KEY, key], stored, signs_group=False)
    assert (found.plaintext, found.key) == (plaintext, key)
    assert account_id_of_ed25519(found.sender).hex() == expected["decrypted_from"]
    nonce = bytes.fromhex(case["randomness"]["draws"][0])
    rules = {"compress": case["input"]["compress"], "signs_group": False}
    # The bytes of zstd 1.5.7 are those of the reference on all of these.
    assert encrypt(REAL, admin.ed, group.id, key, plaintext, nonce, **rules) == stored
    with pytest.raises(CannotOpen):
        decrypt(REAL, group.id, [key], stored)


# ---- Form ----


@pytest.mark.parametrize("size", [1, 40, 41, 100, 255, 256, 257, 1000])
def test_length_is_a_multiple_of_256_with_less_than_256_of_padding(size: int) -> None:
    sealed = encrypt(FAST, ALICE.ed, GROUP.id, KEY, b"x" * size, NONCE, compress=False)
    bare = encrypt_body(
        FAST, ALICE.ed, GROUP.id, KEY, body_of(b"x" * size, compress=False), NONCE, step_bytes=1
    )
    assert len(sealed) % 256 == 0
    assert 0 <= len(sealed) - len(bare) < 256
    assert len(bare) == 40 + len(bencode.encode(fields_of(b"x" * size)))
    assert sealed[:24] == NONCE
    assert opened(sealed) == opened(bare) == b"x" * size


def test_compressible_text_is_smaller_and_says_so() -> None:
    text = b"a long story " * 130
    assert len(encrypt(FAST, ALICE.ed, GROUP.id, KEY, text, NONCE)) == 256
    assert len(encrypt(FAST, ALICE.ed, GROUP.id, KEY, text, NONCE, compress=False)) == 2048
    assert opened(encrypt(FAST, ALICE.ed, GROUP.id, KEY, text, NONCE)) == text


def test_text_that_does_not_compress_is_sent_as_it_is() -> None:
    assert body_of(b"short") == Body(b"short", False)
    assert body_of(b"a" * 100).compressed
    assert body_of(b"a" * 100, compress=False) == Body(b"a" * 100, False)


def test_body_is_given_as_it_was_transmitted() -> None:
    text = b"again " * 50
    body, sender, key = decrypt_body(
        FAST, GROUP.id, [KEY], encrypt(FAST, ALICE.ed, GROUP.id, KEY, text, NONCE)
    )
    assert (body, sender, key) == (body_of(text), ALICE.ed.public, KEY)


def test_fast_and_real_suites_write_the_same_bytes() -> None:
    assert encrypt(FAST, ALICE.ed, GROUP.id, KEY, b"hi", NONCE) == encrypt(
        REAL, ALICE.ed, GROUP.id, KEY, b"hi", NONCE
    )


@pytest.mark.parametrize("size", [0, MOST_PLAINTEXT_BYTES + 1])
def test_empty_and_oversized_plaintext_is_our_mistake(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        encrypt(FAST, ALICE.ed, GROUP.id, KEY, bytes(size), NONCE)


def test_largest_plaintext_passes() -> None:
    largest = bytes(MOST_PLAINTEXT_BYTES)
    assert opened(encrypt(FAST, ALICE.ed, GROUP.id, KEY, largest, NONCE)) == largest


@pytest.mark.parametrize(("key", "nonce"), [(KEY[:31], NONCE), (KEY, NONCE[:23]), (KEY + b"x", NONCE)])
def test_key_and_nonce_of_wrong_length_are_our_mistake(key: bytes, nonce: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        encrypt(FAST, ALICE.ed, GROUP.id, key, b"hi", nonce)


# ---- Versions of the signature ----


@pytest.mark.parametrize("signs_group", [True, False])
def test_the_two_versions_do_not_accept_each_other(signs_group: bool) -> None:
    sealed = encrypt(FAST, ALICE.ed, GROUP.id, KEY, b"hi", NONCE, signs_group=signs_group)
    assert opened(sealed, signs_group=signs_group) == b"hi"
    with pytest.raises(CannotOpen):
        opened(sealed, signs_group=not signs_group)


def test_only_the_old_version_can_be_carried_into_another_group() -> None:
    old, new = (
        encrypt(FAST, ALICE.ed, GROUP.id, KEY, b"hi", NONCE, signs_group=rule) for rule in (False, True)
    )
    assert decrypt(FAST, OTHER.id, [KEY], old, signs_group=False).plaintext == b"hi"
    with pytest.raises(CannotOpen):
        decrypt(FAST, OTHER.id, [KEY], new)


# ---- Refusals ----


def test_good_dict_opens_with_and_without_padding_and_with_unknown_fields() -> None:
    assert opened(seal(fields_of())) == b"hello"
    assert opened(seal(fields_of(), padding=bytes(1000))) == b"hello"
    assert opened(seal(fields_of(b=7, t=[]))) == b"hello"
    assert opened(seal(fields_of(zstandard.compress(b"hello"), b"z"))) == b"hello"


@pytest.mark.parametrize("keys", [[], [bytes(32)], [KEY[:31]], [b""]])
def test_message_without_its_key_does_not_open(keys: list[bytes]) -> None:
    with pytest.raises(CannotOpen):
        decrypt(FAST, GROUP.id, keys, seal(fields_of()))


@pytest.mark.parametrize("size", [0, 1, 23, 24, 39, 40, 41, 256])
def test_too_short_or_foreign_bytes_do_not_open(size: int) -> None:
    with pytest.raises(CannotOpen):
        opened(bytes(size))


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"version": 2},
        {"version": -1},
        {"version": b"1"},
        {"version": [1]},
        {"version": None},
        {"a": None},
        {"a": ALICE.ed.public[:31]},
        {"a": 5},
        {"s": None},
        {"s": bytes(63)},
        {"s": 5},
        {"d": None},
        {"d": b""},
        {"d": 5},
        {"z": zstandard.compress(b"hello")},
        {"z": b""},
        {"z": 5, "d": None},
        {"z": b"", "d": None},
    ],
    ids=repr,
)
def test_malformed_message_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError):
        opened(seal(fields_of(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"s": bytes(64)},
        {"d": b"hallo"},
        {"a": account_from_seed(b"b" * 16).ed.public},
        {"a": b"\xff" * 32},  # no curve point
        {"a": bytes(32)},  # a point of low order, without account id
    ],
)
def test_forged_message_does_not_open(changes: dict[str, Any]) -> None:
    for suite in (FAST, REAL):
        with pytest.raises(CannotOpen):
            decrypt(suite, GROUP.id, [KEY], seal(fields_of(**changes)))


def test_sender_key_outside_the_main_group_does_not_open() -> None:
    # A key plus a point of order 8: for one message in eight its owner can make signatures that verify.
    scalar, order_8 = curve.reduce(b"s" * 64), bytes.fromhex(SMALL_ORDER["order 8"])
    sender = bindings.crypto_core_ed25519_add(curve.times_base(scalar), order_8)
    body = b"hello"
    for number in range(1, 65):
        signature = curve.sign(ScalarKey(sender, scalar), bytes([number]) * 64, body + GROUP.ed.public)
        if REAL.verify_stored(sender, body + GROUP.ed.public, signature):
            break
    assert REAL.verify_stored(sender, body + GROUP.ed.public, signature)
    with pytest.raises(CannotOpen, match="not an Ed25519 public key"):
        decrypt(REAL, GROUP.id, [KEY], seal(fields_of(a=sender, s=signature)))


@pytest.mark.parametrize("padding", [b"x", b"\0x", b"e", b"\0\0e"])
def test_padding_of_anything_but_zeros_is_refused(padding: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        opened(seal(fields_of(), padding=padding))


@pytest.mark.parametrize("inside", [b"", bytes(300), b"le", b"i1e", b"d0:i1e", b"e", b"x" * 100])
def test_encrypted_bytes_that_are_no_dict_are_refused(inside: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        opened(NONCE + aead.seal(inside, NONCE, KEY))


# ---- Compressed bodies from hostile members ----


def frame_without_size(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(plain)


@pytest.mark.parametrize("make", [zstandard.compress, frame_without_size])
def test_bomb_is_refused_and_the_longest_allowed_passes(make: Any) -> None:
    assert len(opened(seal(fields_of(make(bytes(MOST_PLAINTEXT_BYTES)), b"z")))) == MOST_PLAINTEXT_BYTES
    for size in (MOST_PLAINTEXT_BYTES + 1, 50_000_000):
        bomb = make(bytes(size))
        assert len(bomb) < 76_800
        with pytest.raises(RemoteProtocolError, match="longer"):
            opened(seal(fields_of(bomb, b"z")))


def test_frame_that_lies_about_its_size_is_refused() -> None:
    frame = bytearray(zstandard.compress(b"ab" * 150))
    assert zstandard.frame_content_size(bytes(frame)) == 300
    frame[5] ^= 1  # the two bytes of the size stand after magic number and descriptor
    with pytest.raises(RemoteProtocolError):
        opened(seal(fields_of(bytes(frame), b"z")))


@pytest.mark.parametrize(
    "frame", [b"x", b"(\xb5/\xfd", zstandard.compress(b"hello")[:-1], zstandard.compress(b"hello") + b"x"]
)
def test_broken_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        opened(seal(fields_of(frame, b"z")))


# ---- Hostile bytes ----


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_do_not_open(raw: bytes) -> None:
    with pytest.raises(CannotOpen):
        opened(raw)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_encrypted_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        opened(NONCE + aead.seal(raw, NONCE, KEY))


ANY = st.integers(-2, 3) | st.binary(max_size=66) | st.lists(st.integers(0, 1), max_size=2)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["version", "a", "d", "s", "z", "x"]), ANY, min_size=1, max_size=3))
def test_any_changed_fields_are_refused_unless_unknown(changes: dict[str, Any]) -> None:
    try:
        assert opened(seal(fields_of(**changes))) == b"hello"
        assert changes.keys() <= {"x"} or changes.get("version") == 1
    except RemoteProtocolError:
        assert changes.keys() & {"version", "a", "d", "s", "z"}


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=600), st.booleans(), st.booleans())
def test_whatever_is_sent_arrives(plaintext: bytes, compress: bool, signs_group: bool) -> None:
    rules = {"compress": compress, "signs_group": signs_group}
    sealed = encrypt(FAST, ALICE.ed, GROUP.id, KEY, plaintext, NONCE, **rules)
    assert len(sealed) % 256 == 0
    assert opened(sealed, signs_group=signs_group) == plaintext
