"""A config of some contacts padded and encrypted, and back: the size of a usual one, about 4 kB.

It holds no JSON and no curve operation; held to the same ratio.
"""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.protocol.configs.sealing import decrypt, encrypt, pad, padded_bytes, unpad
from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

MESSAGE = b"d" + bytes(range(256)) * 15 + b"e"
KEY, DOMAIN = bytes(range(32)), b"contacts"
PADDED = padded_bytes(len(MESSAGE))
MAKING_A_KEY = Primitive("BLAKE2b key", primitives.blake2b(len(KEY) + 8 + len(DOMAIN)))


def test_encrypt_a_config(beside: Callable[..., None]) -> None:
    beside(
        "encrypt a config of 4 kB",
        lambda: encrypt(pad(MESSAGE), KEY, DOMAIN),
        (
            MAKING_A_KEY,
            Primitive("BLAKE2b nonce", primitives.blake2b(PADDED, 24, key_bytes=40)),
            Primitive("XChaCha20-Poly1305 sealed", primitives.xchacha_sealed(PADDED)),
        ),
    )


def test_decrypt_a_config(beside: Callable[..., None]) -> None:
    stored = encrypt(pad(MESSAGE), KEY, DOMAIN)
    assert unpad(decrypt(stored, KEY, DOMAIN)) == MESSAGE
    beside(
        "decrypt a config of 4 kB",
        lambda: unpad(decrypt(stored, KEY, DOMAIN)),
        (MAKING_A_KEY, Primitive("XChaCha20-Poly1305 opened", primitives.xchacha_opened(PADDED))),
    )
