"""XChaCha20 without tag: the draft's subkey, libsodium's key stream, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import xchacha
from sessionsim.protocol.crypto.argon2 import argon2id

KEYS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=24, max_size=24)


def test_the_subkey_of_the_draft() -> None:
    # Source: draft-irtf-cfrg-xchacha section 2.2.1.
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    subkey = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert xchacha._hchacha20(bytes(range(32)), nonce).hex() == subkey


@given(KEYS, NONCES, st.integers(0, 300))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_the_stream_goes_on_as_that_of_the_authenticated_cipher(key: bytes, nonce: bytes, size: int) -> None:
    # The authenticated cipher spends the first block of 64 bytes on its tag.
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(size), None, nonce, key)
    assert xchacha.xor(bytes(64 + size), nonce, key)[64:] == sealed[:size]


@given(KEYS, NONCES, st.binary(max_size=100))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_twice_is_not_at_all(key: bytes, nonce: bytes, message: bytes) -> None:
    once = xchacha.xor(message, nonce, key)
    assert len(once) == len(message)
    assert xchacha.xor(once, nonce, key) == message


@pytest.mark.parametrize(("nonce", "key"), [(23, 32), (25, 32), (24, 31), (24, 33), (0, 0)])
def test_wrong_lengths_are_our_mistake(nonce: int, key: int) -> None:
    with pytest.raises(LocalProtocolError):
        xchacha.xor(b"", bytes(nonce), bytes(key))


def test_argon2id_depends_on_all_it_is_given() -> None:
    cheap = {"passes": 1, "memory_bytes": 8192}
    found = {
        argon2id(b"a", bytes(16), 16, **cheap),
        argon2id(b"b", bytes(16), 16, **cheap),
        argon2id(b"a", b"s" * 16, 16, **cheap),
        argon2id(b"a", bytes(16), 16, passes=2, memory_bytes=8192),
        argon2id(b"a", bytes(16), 16, passes=1, memory_bytes=16384),
    }
    assert len(found) == 5
    assert {len(one) for one in found} == {16}


@pytest.mark.parametrize(
    ("salt", "passes", "memory"), [(15, 1, 8192), (17, 1, 8192), (16, 0, 8192), (16, 1, 1)]
)
def test_argon2id_refuses_what_does_not_exist(salt: int, passes: int, memory: int) -> None:
    with pytest.raises(LocalProtocolError):
        argon2id(b"a", bytes(salt), 16, passes=passes, memory_bytes=memory)
