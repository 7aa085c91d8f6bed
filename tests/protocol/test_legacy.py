"""Legacy attachments and pictures: sizes, a blob taken apart by hand, every rejection."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError
from sessionsim.protocol.crypto import cbc, gcm
from sessionsim.protocol.files.legacy import open_attachment, padded_bytes, seal_attachment, sealed_bytes
from sessionsim.protocol.files.legacy_picture import open_picture, seal_picture

SIZES = json.loads((Path(__file__).parents[1] / "vectors" / "files.json").read_text("utf-8"))["groups"][
    "sizes:legacy"
]
KEY, IV = bytes(range(64)), bytes(range(16))


@pytest.mark.parametrize(("file", "blob"), SIZES)
def test_sizes_of_the_table(file: int, blob: int) -> None:
    assert sealed_bytes(file) == blob == len(seal_attachment(bytes(file), KEY, IV).blob)


@pytest.mark.parametrize(
    ("file", "padded"),
    [
        (0, 541),
        (541, 541),
        (542, 568),  # 1.05^130 = 568.4; 1.05^129 = 541.3
        (568, 568),
        (569, 596),
        (9_900_000, 10_000_000),  # the next power is above the limit
        (10_000_000, 10_000_000),
    ],
)
def test_padding_goes_to_the_next_power_between_floor_and_cap(file: int, padded: int) -> None:
    assert padded_bytes(file) == padded


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.integers(542, 9_500_000))
def test_padding_adds_at_most_five_percent(file: int) -> None:
    assert file <= padded_bytes(file) <= file * 1.05 + 1


def test_a_blob_is_iv_ciphertext_and_mac_over_both() -> None:
    blob, digest = seal_attachment(b"file", KEY, IV)
    assert blob[:16] == IV
    assert cbc.decrypt(blob[16:-32], IV, KEY[:32]) == b"file" + bytes(537)
    assert blob[-32:] == hmac.digest(KEY[32:], blob[:-32], "sha256")
    assert digest == hashlib.sha256(blob).digest()


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.binary(max_size=700), st.binary(min_size=64, max_size=64), st.binary(min_size=16, max_size=16))
def test_any_file_comes_back(content: bytes, key: bytes, iv: bytes) -> None:
    blob, digest = seal_attachment(content, key, iv)
    assert open_attachment(blob, key, digest, len(content)) == content
    assert len(blob) == sealed_bytes(len(content))


def test_a_smaller_size_in_the_pointer_cuts_and_a_larger_one_is_refused() -> None:
    blob, digest = seal_attachment(b"file", KEY, IV)
    assert open_attachment(blob, KEY, digest, 2) == b"fi"
    assert open_attachment(blob, KEY, digest, 541) == b"file" + bytes(537)
    for size in (542, 1 << 32, -1):
        with pytest.raises(CannotOpen, match="shorter"):
            open_attachment(blob, KEY, digest, size)


def test_every_rejection_says_what_is_wrong() -> None:
    blob, digest = seal_attachment(b"file", KEY, IV)
    altered = bytes([blob[0] ^ 1]) + blob[1:]
    wrong_mac_key = KEY[:32] + bytes(32)
    # Right MAC over a body that is no ciphertext.
    body = IV + b"x" * 17
    forged = body + hmac.digest(KEY[32:], body, "sha256")
    for args, why in (
        ((altered, KEY, digest, 4), "MAC"),
        ((altered, KEY, hashlib.sha256(altered).digest(), 4), "MAC"),
        ((blob, wrong_mac_key, digest, 4), "MAC"),
        ((blob, KEY, bytes(32), 4), "digest"),
        ((blob, KEY, digest[:31], 4), "digest"),
        ((blob, KEY, b"", 4), "digest"),
        ((blob[:47], KEY, digest, 4), "too short"),
        ((b"", KEY, digest, 4), "too short"),
        ((blob, KEY[:63], digest, 4), "key"),
        ((blob, KEY[:32], digest, 4), "key"),
        ((forged, KEY, hashlib.sha256(forged).digest(), 4), "CBC"),
    ):
        with pytest.raises(CannotOpen, match=why):
            open_attachment(*args)


def test_a_wrong_aes_key_under_a_right_mac_is_refused_or_garbage() -> None:
    blob, digest = seal_attachment(b"file" * 200, KEY, IV)
    try:
        assert open_attachment(blob, bytes(32) + KEY[32:], digest, 800) != b"file" * 200
    except CannotOpen as wrong:
        assert "CBC" in str(wrong)  # noqa: PT017 - either outcome is right


def test_own_mistakes() -> None:
    with pytest.raises(InvalidInput):
        seal_attachment(bytes(10_000_001), KEY, IV)
    for key, iv in ((KEY[:32], IV), (KEY, IV[:12])):
        with pytest.raises(LocalProtocolError):
            seal_attachment(b"", key, iv)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.binary(max_size=200))
def test_random_bytes_do_not_open(blob: bytes) -> None:
    with pytest.raises(CannotOpen):
        open_attachment(blob, KEY, hashlib.sha256(blob).digest(), 1)
    with pytest.raises(CannotOpen):
        open_picture(blob, KEY[:32])


def test_a_picture_is_nonce_and_ciphertext_without_padding() -> None:
    blob = seal_picture(b"picture", KEY[:32], IV[:12])
    assert blob == IV[:12] + gcm.seal(b"picture", IV[:12], KEY[:32])
    assert len(blob) == 7 + 28
    assert open_picture(blob, KEY[:32]) == b"picture"


def test_a_picture_does_not_open_with_another_key_or_altered() -> None:
    blob = seal_picture(b"", KEY[:32], IV[:12])
    for wrong, key in ((blob, KEY[32:]), (blob, KEY), (blob[:-1], KEY[:32]), (b"\xff" + blob[1:], KEY[:32])):
        with pytest.raises(CannotOpen):
            open_picture(wrong, key)
