"""The real suite: X25519, Ed25519 and sealed boxes by libsodium, ML-KEM-768 by OpenSSL.

In one process both ends of an exchange compute the same shared secret, and a verifier checks what a signer
has just made. `memo=True` remembers both, bounded, so that the second computation is a look-up. The memo is
private to the suite: a wrong key misses it and fails as before. Off, every operation is computed.
"""

from __future__ import annotations

from typing import Final

from nacl import bindings
from nacl._sodium import ffi, lib  # what `bindings` stands on, ready to use once that is imported
from nacl.exceptions import CryptoError

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import curve, mlkem, real
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.crypto.memo import MEMO_LIMIT, LayerMemo, SignatureMemo, verify_once
from sessionsim.protocol.crypto.suite import KemPair, KeyPair, ScalarKey

_scalarmult: Final = lib.crypto_scalarmult


class SodiumSuite:
    """Real cryptography. Args: memo: remember layers and fresh signatures."""

    name = "sodium"

    def __init__(self, *, memo: bool = True) -> None:
        self._signed: dict[bytes, tuple[bytes, bytes]] | None = {} if memo else None
        self._layers = LayerMemo() if memo else None
        self._verified = SignatureMemo() if memo else None
        self._room = ffi.new("unsigned char[32]")  # where every shared secret is made: one thread at a time
        self._shown = ffi.buffer(self._room)

    def ephemeral(self, secret: bytes) -> KeyPair:
        if len(secret) != 32:  # not checked by PyNaCl either
            raise LocalProtocolError(f"an ephemeral secret has 32 bytes, not {len(secret)}")
        return KeyPair(bindings.crypto_scalarmult_base(secret), secret)

    def agree(self, own: KeyPair, peer: bytes) -> bytes:
        # `bindings.crypto_scalarmult` by hand, without its tests of kind and length: every hop pays for them.
        secret = own[1]
        if len(peer) != 32 or len(secret) != 32:  # libsodium would read past the end
            raise CannotOpen("not an X25519 key")
        try:
            refused = _scalarmult(self._room, secret, peer)
        except TypeError as wrong:
            raise CannotOpen("not an X25519 public key") from wrong
        if refused:
            raise CannotOpen("not an X25519 public key")
        shared: bytes = self._shown[:]
        return shared

    def layer_to(self, layer_type: type[Layer], secret: bytes, server: bytes) -> tuple[bytes, Layer]:
        public: bytes = bindings.crypto_scalarmult_base(secret)
        layer = layer_type(self.agree(KeyPair(public, secret), server), public, server)
        if self._layers is not None:
            self._layers.put(public, server, layer)
        return public, layer

    def layer_from(self, layer_type: type[Layer], own: KeyPair, ephemeral: bytes) -> Layer:
        known = self._layers.take(layer_type, ephemeral, own[0]) if self._layers is not None else None
        return known or layer_type(self.agree(own, ephemeral), ephemeral, own[0])

    def sign(self, own: KeyPair, message: bytes) -> bytes:
        return self._remember(own[0], message, bindings.crypto_sign(message, own[1] + own[0])[:64])

    def _remember(self, public: bytes, message: bytes, signature: bytes) -> bytes:
        memo = self._signed
        if memo is not None:
            if len(memo) >= MEMO_LIMIT:
                memo.clear()
            memo[signature] = (public, message)
        return signature

    def sign_scalar(self, own: ScalarKey, nonce64: bytes, message: bytes) -> bytes:
        return self._remember(own[0], message, curve.sign(own, nonce64, message))

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        memo = self._signed
        if memo is not None and memo.get(signature) == (public, message):
            return True
        return real.ed25519_verify(public, message, signature)

    sign_stored = sign

    def verify_stored(self, public: bytes, message: bytes, signature: bytes) -> bool:
        memo = self._signed
        if memo is not None and memo.get(signature) == (public, message):
            return True
        return verify_once(self._verified, public, message, signature)

    def seal_box(self, plaintext: bytes, recipient: bytes, ephemeral: KeyPair) -> bytes:
        try:
            shared = bindings.crypto_box_beforenm(recipient, ephemeral[1])
        except (CryptoError, ValueError, TypeError) as wrong:
            raise CannotOpen("not an X25519 public key") from wrong
        nonce = real.box_nonce(ephemeral[0], recipient)
        return ephemeral[0] + bindings.crypto_box_easy_afternm(plaintext, nonce, shared)

    def open_box(self, sealed: bytes, own: KeyPair) -> bytes:
        try:
            return bindings.crypto_box_seal_open(sealed, own[0], own[1])
        except (CryptoError, ValueError, TypeError) as wrong:
            raise CannotOpen("sealed box does not open") from wrong

    def decoy_signature(self, random64: bytes) -> bytes:
        scalar = bindings.crypto_core_ed25519_scalar_reduce(random64)
        point = bindings.crypto_scalarmult_ed25519_base_noclamp(scalar)
        return point + bindings.crypto_core_ed25519_scalar_reduce(random64[32:] + random64[:32])

    def kem_keypair(self, seed: bytes) -> KemPair:
        return KemPair(mlkem.public_of(seed), seed)

    def kem_encapsulate(self, public: bytes, coins: bytes) -> tuple[bytes, bytes]:
        if len(coins) != mlkem.COINS_BYTES:
            raise LocalProtocolError(f"an encapsulation takes {mlkem.COINS_BYTES} random bytes")
        return mlkem.encapsulate(public)

    def kem_decapsulate(self, own: KemPair, ciphertext: bytes) -> bytes:
        return mlkem.decapsulate(own[1], ciphertext)
