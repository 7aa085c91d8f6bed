"""AES-256-CBC: a published value, the padding, and what does not decrypt."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import cbc

# NIST SP 800-38A, F.2.5, first block.
KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
IV = bytes(range(16))
PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
CIPHER = bytes.fromhex("f58c4c04d6e5f1ba779eabfb5f7bfbd6")


def test_first_block_is_the_published_one_and_a_block_of_padding_follows() -> None:
    sealed = cbc.encrypt(PLAIN, IV, KEY)
    assert (sealed[:16], len(sealed)) == (CIPHER, 32)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.binary(max_size=70))
def test_everything_comes_back_one_to_sixteen_bytes_longer(plain: bytes) -> None:
    sealed = cbc.encrypt(plain, IV, KEY)
    assert len(sealed) == len(plain) // 16 * 16 + 16
    assert cbc.decrypt(sealed, IV, KEY) == plain


@pytest.mark.parametrize(
    ("cipher", "iv", "key"),
    [
        (b"", IV, KEY),
        (CIPHER, IV, KEY),  # whole blocks, but its plaintext ends in no padding
        (cbc.encrypt(PLAIN, IV, KEY)[:-1], IV, KEY),
        (cbc.encrypt(PLAIN, IV, KEY), IV[:15], KEY),
        (cbc.encrypt(PLAIN, IV, KEY), IV, KEY[:31]),
        (cbc.encrypt(PLAIN, IV, KEY), IV, KEY[::-1]),
    ],
)
def test_what_does_not_decrypt(cipher: bytes, iv: bytes, key: bytes) -> None:
    with pytest.raises(CannotOpen):
        cbc.decrypt(cipher, iv, key)


def test_wrong_lengths_of_ours_are_our_mistake() -> None:
    for iv, key in ((IV[1:], KEY), (IV, KEY[:16])):
        with pytest.raises(LocalProtocolError):
            cbc.encrypt(PLAIN, iv, key)
