"""XChaCha20-Poly1305 with a given nonce, against the reference value, and what does not open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import aead

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "aead.json").read_text("utf-8"))["groups"]
NONCE, KEY = bytes(range(24)), bytes(range(32))


@pytest.mark.parametrize("case", GROUPS["messages:xchacha20"])
def test_payload_of_the_reference_opens_and_is_rebuilt(case: dict[str, Any]) -> None:
    payload, key = (bytes.fromhex(case["input"][name]) for name in ("payload", "enc_key"))
    nonce, ciphertext = payload[: aead.NONCE_BYTES], payload[aead.NONCE_BYTES :]
    plain = aead.unseal(ciphertext, nonce, key)
    assert plain == case["expected"].encode()
    assert aead.seal(plain, nonce, key) == ciphertext


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_every_text_comes_back_16_bytes_longer(plain: bytes) -> None:
    sealed = aead.seal(plain, NONCE, KEY)
    assert len(sealed) == len(plain) + aead.TAG_BYTES
    assert aead.unseal(sealed, NONCE, KEY) == plain


@given(
    st.binary(max_size=80), st.sampled_from([NONCE, b"", bytes(23)]), st.sampled_from([KEY, b"", bytes(31)])
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_anything_else_cannot_be_opened(ciphertext: bytes, nonce: bytes, key: bytes) -> None:
    with pytest.raises(CannotOpen):
        aead.unseal(ciphertext, nonce, key)


@pytest.mark.parametrize("place", range(0, 20, 3))
def test_one_bit_changed_cannot_be_opened(place: int) -> None:
    sealed = bytearray(aead.seal(b"text", NONCE, KEY))
    sealed[place] ^= 1
    with pytest.raises(CannotOpen):
        aead.unseal(bytes(sealed), NONCE, KEY)
