"""The cheap suite: the same interface and lengths, no curve operation in transit. It protects nothing.

A shared secret is a hash of both public keys, a transit signature a keyed hash of the signer's public
key and the message, an ephemeral public key a hash of its secret. The caller still has to hold the
`KeyPair`, and a wrong key still fails because the AEAD on top is real. Identities and everything that is
stored or compared are real. Property (tested): runs with `fast` and with `sodium` have the same records.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from nacl import bindings
from nacl.exceptions import CryptoError

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import fast_kem, real
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.crypto.memo import LayerMemo, SignatureMemo, verify_once
from sessionsim.protocol.crypto.suite import KemPair, KeyPair, ScalarKey

_CACHED_KEYS = 4096  # Assumption: accounts and nodes that sign or are verified in turn; about 2 MB
# Hashes as they stand before any input: copying one is cheaper than making it, and a poll copies thirty.
_EPHEMERAL = hashlib.blake2b(digest_size=32, person=b"fast ephemeral")
_SHARED = hashlib.blake2b(digest_size=32)


def _public_of(secret: bytes) -> bytes:
    state = _EPHEMERAL.copy()
    state.update(secret)
    return state.digest()


def _shared_secret(public: bytes, peer: bytes) -> bytes:
    state = _SHARED.copy()
    state.update(public + peer if public < peer else peer + public)
    return state.digest()


@lru_cache(maxsize=_CACHED_KEYS)
def _keyed(public: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(key=public)


def _signature(public: bytes, message: bytes) -> bytes:
    state = _keyed(public).copy()
    state.update(message)
    return state.digest()


class FastSuite:
    """Keyed hashing in place of curves. Args: memo: remember layers and signatures, see `memo`."""

    name = "fast"

    def __init__(self, *, memo: bool = True) -> None:
        self._layers = LayerMemo() if memo else None
        self._verified = SignatureMemo() if memo else None

    def ephemeral(self, secret: bytes) -> KeyPair:
        if len(secret) != 32:
            raise LocalProtocolError(f"an ephemeral secret has 32 bytes, not {len(secret)}")
        return KeyPair(_public_of(secret), secret)

    def agree(self, own: KeyPair, peer: bytes) -> bytes:
        if len(peer) != 32:
            raise CannotOpen("not an X25519 public key")
        return _shared_secret(own[0], peer)

    def layer_to(self, layer_type: type[Layer], secret: bytes, server: bytes) -> tuple[bytes, Layer]:
        public = _public_of(secret)
        layer = layer_type(_shared_secret(public, server), public, server)
        if self._layers is not None:
            self._layers.put(public, server, layer)
        return public, layer

    def layer_from(self, layer_type: type[Layer], own: KeyPair, ephemeral: bytes) -> Layer:
        public = own[0]
        if len(ephemeral) != 32:
            raise CannotOpen("not an X25519 public key")
        known = self._layers.take(layer_type, ephemeral, public) if self._layers is not None else None
        return known or layer_type(_shared_secret(public, ephemeral), ephemeral, public)

    def sign(self, own: KeyPair, message: bytes) -> bytes:
        return _signature(own[0], message)

    def sign_scalar(self, own: ScalarKey, nonce64: bytes, message: bytes) -> bytes:
        return _signature(own[0], message)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        return len(public) == 32 and _signature(public, message) == signature

    def sign_stored(self, own: KeyPair, message: bytes) -> bytes:
        return real.ed25519_sign(own, message)

    def verify_stored(self, public: bytes, message: bytes, signature: bytes) -> bool:
        return verify_once(self._verified, public, message, signature)

    def seal_box(self, plaintext: bytes, recipient: bytes, ephemeral: KeyPair) -> bytes:
        nonce = real.box_nonce(ephemeral[0], recipient)
        key = self.agree(ephemeral, recipient)
        return ephemeral[0] + bindings.crypto_secretbox_easy(plaintext, nonce, key)

    def open_box(self, sealed: bytes, own: KeyPair) -> bytes:
        public = sealed[:32]
        try:
            nonce = real.box_nonce(public, own[0])
            return bindings.crypto_secretbox_open_easy(sealed[32:], nonce, self.agree(own, public))
        except (CryptoError, ValueError, TypeError) as wrong:
            raise CannotOpen("sealed box does not open") from wrong

    def decoy_signature(self, random64: bytes) -> bytes:
        return random64

    def kem_keypair(self, seed: bytes) -> KemPair:
        return KemPair(fast_kem.public_of(seed), seed)

    def kem_encapsulate(self, public: bytes, coins: bytes) -> tuple[bytes, bytes]:
        return fast_kem.encapsulate(public, coins)

    def kem_decapsulate(self, own: KemPair, ciphertext: bytes) -> bytes:
        return fast_kem.decapsulate(own[0], ciphertext)
