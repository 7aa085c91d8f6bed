"""From an X25519 key back to an Ed25519 one: XEd25519 (messages 0).

An X25519 key says nothing about the sign of the Ed25519 point it came from. By convention the "positive"
alternative, sign bit 0, stands for it. Source: libsession-util: src/xed25519.cpp.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import CannotOpen

_PRIME: Final = (1 << 255) - 19  # Source: RFC 7748 section 4.1


def ed25519_of_x25519(public: bytes) -> bytes:
    """Give the positive Ed25519 point of an X25519 public key: y = (u − 1)/(u + 1).

    Raises:
        CannotOpen: not 32 bytes, or u = −1, which has no such point.
    Source: messages 0; libsession-util: src/xed25519.cpp.
    """
    if len(public) != 32:
        raise CannotOpen("not an X25519 public key")
    u = int.from_bytes(public, "little") & ((1 << 255) - 1)
    if (u + 1) % _PRIME == 0:
        raise CannotOpen("an X25519 key without Ed25519 counterpart")
    y = (u - 1) * pow(u + 1, -1, _PRIME) % _PRIME
    return y.to_bytes(32, "little")
