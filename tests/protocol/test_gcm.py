"""AES-256-GCM with a given nonce: published values and what does not open."""

from __future__ import annotations

import pytest

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import gcm

KEY, NONCE = bytes(32), bytes(12)


# Test cases 13 and 14 of the GCM submission to NIST (McGrew, Viega).
@pytest.mark.parametrize(
    ("plain", "sealed"),
    [
        (b"", "530f8afbc74536b9a963b4f1c4cb738b"),
        (bytes(16), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    ],
)
def test_published_values(plain: bytes, sealed: str) -> None:
    assert gcm.seal(plain, NONCE, KEY).hex() == sealed
    assert gcm.unseal(bytes.fromhex(sealed), NONCE, KEY) == plain


def test_what_does_not_open() -> None:
    sealed = gcm.seal(b"picture", NONCE, KEY)
    altered = bytes([sealed[0] ^ 1]) + sealed[1:]
    wrong = [
        (altered, NONCE, KEY),
        (sealed[:-1], NONCE, KEY),
        (b"", NONCE, KEY),
        (sealed, bytes(11), KEY),
        (sealed, NONCE, bytes(31)),
        (sealed, NONCE, b"\1" + bytes(31)),
    ]
    for cipher, nonce, key in wrong:
        with pytest.raises(CannotOpen):
            gcm.unseal(cipher, nonce, key)


def test_wrong_lengths_of_ours_are_our_mistake() -> None:
    for nonce, key in ((bytes(16), KEY), (NONCE, bytes(16))):
        with pytest.raises(LocalProtocolError):
            gcm.seal(b"", nonce, key)
