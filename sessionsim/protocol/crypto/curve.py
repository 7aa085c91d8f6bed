"""Scalars and points of the Ed25519 group, as blinding, group tokens and XEd25519 use them.

Scalars are 32 bytes, little-endian, modulo the group order; points are 32-byte Ed25519 encodings. No
multiplication here clamps its scalar (libsodium's "noclamp").
Source: messages 0, 3.1, 4.4; libsession-util: src/blinding.cpp.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto.suite import ScalarKey

ORDER: Final = (1 << 252) + 27742317777372353535851937790883648493  # Source: RFC 8032 section 5.1
_CACHED_POINTS: Final = 65536  # Assumption: more keys than any process of a run checks
_SIGN_BIT: Final = 0x80  # of the last byte. Source: RFC 8032 section 5.1.2


def reduce(wide: bytes) -> bytes:
    """Reduce 64 bytes modulo the group order."""
    return bindings.crypto_core_ed25519_scalar_reduce(wide)


def multiply(a: bytes, b: bytes) -> bytes:
    """Multiply two scalars; the first may be unreduced, like a clamped secret."""
    return bindings.crypto_core_ed25519_scalar_mul(a, b)


def add(a: bytes, b: bytes) -> bytes:
    """Add two scalars."""
    return bindings.crypto_core_ed25519_scalar_add(a, b)


def negate(a: bytes) -> bytes:
    """Negate a scalar."""
    return bindings.crypto_core_ed25519_scalar_negate(a)


def times_base(scalar: bytes) -> bytes:
    """Multiply the base point. Raises CannotOpen: the scalar is zero."""
    try:
        return bindings.crypto_scalarmult_ed25519_base_noclamp(scalar)
    except (CryptoError, ValueError, TypeError, RuntimeError) as wrong:
        raise CannotOpen("not a usable scalar") from wrong


def times(scalar: bytes, point: bytes) -> bytes:
    """Multiply a point. Raises CannotOpen: not a point of the main group, or the result is the identity."""
    if len(point) != 32:  # PyNaCl does not check every length
        raise CannotOpen("not an Ed25519 point")
    try:
        return bindings.crypto_scalarmult_ed25519_noclamp(scalar, point)
    except (CryptoError, ValueError, TypeError, RuntimeError) as wrong:
        raise CannotOpen("not an Ed25519 point") from wrong


@lru_cache(maxsize=_CACHED_POINTS)
def is_point(point: bytes) -> bool:
    """Say whether bytes are a canonical point of the main group, not of small order; False for any others.

    Source: libsodium crypto_core_ed25519_is_valid_point, which communities ask.
    """
    return len(point) == 32 and bool(bindings.crypto_core_ed25519_is_valid_point(point))


def is_negative(point: bytes) -> bool:
    """Say whether a point has its sign bit set."""
    return bool(point[31] & _SIGN_BIT)


def positive(point: bytes) -> bytes:
    """Give the point with its sign bit cleared."""
    return point[:31] + bytes([point[31] & ~_SIGN_BIT])


def sign(own: ScalarKey, nonce64: bytes, message: bytes) -> bytes:
    """Sign with a bare scalar; verifies as ordinary Ed25519 under its public point.

    Args:
        own: the scalar and its point.
        nonce64: 64 bytes that nobody else can know and that differ for every message; reduced here.
        message: what is signed.

    Source: messages 3.1: R = r·B, S = r + SHA512(R ‖ A ‖ M)·a.
    """
    r = reduce(nonce64)
    big_r = times_base(r)
    challenge = reduce(hashlib.sha512(big_r + own.public + message).digest())
    return big_r + add(r, multiply(challenge, own.scalar))
