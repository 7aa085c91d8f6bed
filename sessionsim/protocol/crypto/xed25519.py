"""Ed25519 keys and signatures of someone whose X25519 key alone is known: XEd25519 (messages 0).

An X25519 key says nothing about the sign of the Ed25519 point it came from. By convention the "positive"
alternative, sign bit 0, stands for it; whoever signs with an X25519 secret uses ±a so that it fits.
Source: libsession-util: src/xed25519.cpp.
"""

from __future__ import annotations

from typing import Final

from nacl import bindings

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import curve, real
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.crypto.suite import ScalarKey

_PRIME: Final = (1 << 255) - 19  # Source: RFC 7748 section 4.1
RANDOM_BYTES: Final = 64  # Source: messages 0
_PERSON: Final = b"xed25519signatur"  # BLAKE2b personalisation of the nonce. Source: messages 0


def ed25519_of_x25519(public: bytes) -> bytes:
    """Give the positive Ed25519 point of an X25519 public key: y = (u − 1)/(u + 1).

    Raises:
        CannotOpen: not 32 bytes, or u = −1, which has no such point.
    Source: messages 0; libsession-util: src/xed25519.cpp, which gives y = 0 for u = −1, a point of small
    order that every use of it then refuses.
    """
    if len(public) != 32:
        raise CannotOpen("not an X25519 public key")
    u = int.from_bytes(public, "little") & ((1 << 255) - 1)
    if (u + 1) % _PRIME == 0:
        raise CannotOpen("an X25519 key without Ed25519 counterpart")
    y = (u - 1) * pow(u + 1, -1, _PRIME) % _PRIME
    return y.to_bytes(32, "little")


def scalar_key(secret: bytes) -> ScalarKey:
    """Give the scalar ±a of an X25519 secret whose point is the positive one, and that point.

    Args:
        secret: 32 bytes, clamped as all X25519 secrets of accounts are.

    Raises:
        LocalProtocolError: not 32 bytes.
    """
    if len(secret) != 32:
        raise LocalProtocolError(f"an X25519 secret has 32 bytes, not {len(secret)}")
    point = bytes(bindings.crypto_scalarmult_ed25519_base(secret))
    if not curve.is_negative(point):
        return ScalarKey(point, secret)
    return ScalarKey(curve.positive(point), curve.negate(secret))


def sign(secret: bytes, random64: bytes, message: bytes) -> bytes:
    """Sign with an X25519 secret; 64 bytes, other ones for other `random64`.

    Args:
        secret: 32 bytes, clamped.
        random64: 64 fresh random bytes.
        message: what is signed.

    Raises:
        LocalProtocolError: a wrong length.
    Source: messages 0; libsession-util: src/xed25519.cpp.
    """
    if len(random64) != RANDOM_BYTES:
        raise LocalProtocolError(f"an XEd25519 signature takes {RANDOM_BYTES} random bytes")
    key = scalar_key(secret)
    nonce = blake2b(key.scalar + message + random64, 64, person=_PERSON)
    return curve.sign(key, nonce, message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Check a signature under an X25519 public key; False for anything malformed.

    It is an ordinary Ed25519 signature under the positive point, so one made with an Ed25519 key whose point
    is positive passes too.
    """
    try:
        point = ed25519_of_x25519(public)
    except CannotOpen:
        return False
    return real.ed25519_verify(point, message, signature)
