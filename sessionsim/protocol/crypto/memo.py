"""What one end of the same process has computed and another is about to compute again.

Layers: keyed by both public keys, taken out on first use, bounded. A server that presents another key, or
asks for another cipher, does not find the entry and computes its own; so a wrong key fails as without memo.

Signatures of what is stored: a group's message is checked by every member, a token at every request. One that
has held is known by signer, signature and a hash of what is signed; a forged one was never entered.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.crypto.real import ed25519_verify

MEMO_LIMIT: Final = 20_000  # Assumption: several seconds of requests in flight; about 6 MB


class LayerMemo:
    """The layers waiting for their other end."""

    __slots__ = ("_layers",)

    def __init__(self) -> None:
        self._layers: dict[tuple[bytes, bytes], Layer] = {}

    def put(self, ephemeral: bytes, server: bytes, layer: Layer) -> None:
        """Keep the client's layer."""
        layers = self._layers
        if len(layers) >= MEMO_LIMIT:
            layers.clear()
        layers[ephemeral, server] = layer

    def take(self, layer_type: type[Layer], ephemeral: bytes, server: bytes) -> Layer | None:
        """Take the layer of these two keys, if it is of that cipher."""
        layer = self._layers.pop((ephemeral, server), None)
        return layer if type(layer) is layer_type else None


class SignatureMemo:
    """Signatures that have held; the oldest half is forgotten when there are too many."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[tuple[bytes, bytes, bytes], None] = {}

    def holds(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether this very signature has held before."""
        return (public, signature, _digest(message)) in self._held

    def put(self, public: bytes, message: bytes, signature: bytes) -> None:
        """Remember a signature that holds."""
        held = self._held
        if len(held) >= MEMO_LIMIT:
            for key in list(held)[: MEMO_LIMIT // 2]:
                del held[key]
        held[public, signature, _digest(message)] = None


def _digest(message: bytes) -> bytes:
    return hashlib.blake2b(message, digest_size=16).digest()


def verify_once(memo: SignatureMemo | None, public: bytes, message: bytes, signature: bytes) -> bool:
    """Check a real Ed25519 signature, unless it is known to hold. Args: memo: None computes it always."""
    if memo is None:
        return ed25519_verify(public, message, signature)
    if memo.holds(public, message, signature):
        return True
    if not ed25519_verify(public, message, signature):
        return False
    memo.put(public, message, signature)
    return True
