"""The stand-in for ML-KEM in the cheap suite: keyed hashing with the same lengths and the same refusals.

A public key looks like a real one (768 coefficients below the modulus, spread evenly, then 32 bytes), since
messages carry its first two bytes as an indicator and how often two keys agree in them is a result. A secret
is a hash of the public key and the ciphertext: another key or an altered ciphertext gives another secret, as
with the real thing. It protects nothing.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

import numpy as np

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto.mlkem import (
    CIPHERTEXT_BYTES,
    COEFFICIENTS_BYTES,
    COINS_BYTES,
    MODULUS,
    PUBLIC_BYTES,
    SEED_BYTES,
    SHARED_BYTES,
)

_COEFFICIENTS: Final = COEFFICIENTS_BYTES * 8 // 12
_CACHED: Final = 8192  # Assumption: keys that a process of a run works with


@lru_cache(maxsize=_CACHED)
def public_of(seed: bytes) -> bytes:
    """Give the public key of a 64-byte seed. Raises LocalProtocolError: another length."""
    if len(seed) != SEED_BYTES:
        raise LocalProtocolError(f"a seed of ML-KEM has {SEED_BYTES} bytes, not {len(seed)}")
    drawn = hashlib.shake_128(b"fast kem key" + seed).digest(4 * _COEFFICIENTS + 32)
    # 32 bits modulo 3329 are even to one part in a million.
    words = np.frombuffer(drawn, "<u4", _COEFFICIENTS) % MODULUS
    first, second = words[::2], words[1::2]
    packed = np.stack([first & 0xFF, first >> 8 | (second & 0xF) << 4, second >> 4], axis=1)
    return packed.astype(np.uint8).tobytes() + drawn[-32:]


def encapsulate(public: bytes, coins: bytes) -> tuple[bytes, bytes]:
    """Give a secret and its ciphertext, which follow from key and coins.

    Raises:
        CannotOpen: not a public key, as with ML-KEM.
        LocalProtocolError: the coins have not 32 bytes.
    """
    if len(coins) != COINS_BYTES:
        raise LocalProtocolError(f"an encapsulation takes {COINS_BYTES} random bytes")
    if not _is_public(public):
        raise CannotOpen("not an ML-KEM-768 public key")
    ciphertext = hashlib.shake_128(b"fast kem ciphertext" + coins).digest(CIPHERTEXT_BYTES)
    return _secret(public, ciphertext), ciphertext


def decapsulate(public: bytes, ciphertext: bytes) -> bytes:
    """Give the secret of a ciphertext for the holder of a key. Raises CannotOpen: not 1088 bytes."""
    if len(ciphertext) != CIPHERTEXT_BYTES:
        raise CannotOpen(f"an ML-KEM-768 ciphertext has {CIPHERTEXT_BYTES} bytes")
    return _secret(public, ciphertext)


def _secret(public: bytes, ciphertext: bytes) -> bytes:
    return hashlib.blake2b(public + ciphertext, digest_size=SHARED_BYTES, person=b"fast kem").digest()


@lru_cache(maxsize=_CACHED)
def _is_public(public: bytes) -> bool:
    if len(public) != PUBLIC_BYTES:
        return False
    packed = np.frombuffer(public, np.uint8, COEFFICIENTS_BYTES).reshape(-1, 3).astype(np.uint16)
    first, second = packed[:, 0] | (packed[:, 1] & 0xF) << 8, packed[:, 1] >> 4 | packed[:, 2] << 4
    return bool((first < MODULUS).all() and (second < MODULUS).all())
