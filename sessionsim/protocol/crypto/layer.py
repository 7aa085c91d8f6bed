"""Encryption of one onion layer (transport 3.3).

A `Layer` is the symmetric half of one key agreement; the same object opens the request and seals the
answer. Key and layout:

    aes-gcm     HMAC-SHA256(key="LOKI", shared)                            iv 12 ‖ ct ‖ tag 16
    xchacha20   BLAKE2b-32(shared ‖ client public ‖ server public)         nonce 24 ‖ ct ‖ tag 16
    aes-cbc     shared                                                     iv 16 ‖ ct, padded by PKCS7

The client's ephemeral key comes first in both directions. No client of today sends aes-cbc, and it
authenticates nothing: only a node told so opens it (`legacy`).
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from nacl import bindings
from nacl._sodium import ffi, lib  # what `bindings` stands on, ready to use once that is imported

from sessionsim.core.errors import CannotOpen

AES_GCM: Final = "aes-gcm"
XCHACHA20: Final = "xchacha20"
AES_CBC: Final = "aes-cbc"
# Every spelling a node accepts. Source: transport 3.3; session-storage-server:
# oxenss/crypto/channel_encryption.cpp (parse_enc_type).
ENC_TYPES: Final = {
    "aes-gcm": AES_GCM,
    "gcm": AES_GCM,
    "xchacha20": XCHACHA20,
    "xchacha20-poly1305": XCHACHA20,
}
# Spellings of the cipher of before 2021, which 2.8 still takes and the newest source no longer knows.
LEGACY_ENC_TYPES: Final = {"aes-cbc": AES_CBC, "cbc": AES_CBC}
# HMAC-SHA256 (RFC 2104) with the fixed key "LOKI": both hashes begin with the padded key, so they are kept as
# they stand behind it and copied, eight times per onion exchange. Equal to `hmac.digest` (tested).
_PADDED_KEY: Final = b"LOKI".ljust(64, b"\0")
HMAC_INNER: Final = hashlib.sha256(bytes(byte ^ 0x36 for byte in _PADDED_KEY))
HMAC_OUTER: Final = hashlib.sha256(bytes(byte ^ 0x5C for byte in _PADDED_KEY))
# Of XChaCha20-Poly1305. Source: libsodium, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES and _ABYTES.
_NONCE_BYTES: Final = 24
_TAG_BYTES: Final = 16
_NULL: Final = ffi.NULL
_new_bytes: Final = partial(ffi.new, ffi.typeof("unsigned char[]"))
_open_xchacha: Final = lib.crypto_aead_xchacha20poly1305_ietf_decrypt
OVERHEAD_BYTES: Final = {AES_GCM: 28, XCHACHA20: 40}


class GcmLayer:
    """AES-256-GCM under the HMAC "LOKI" key."""

    __slots__ = ("_aead", "key")

    def __init__(self, shared: bytes, client_public: bytes, server_public: bytes) -> None:
        inner, outer = HMAC_INNER.copy(), HMAC_OUTER.copy()
        inner.update(shared)
        outer.update(inner.digest())
        self.key = outer.digest()
        self._aead: AESGCM | None = AESGCM(self.key)

    @classmethod
    def under(cls, key: bytes) -> GcmLayer:
        """Make a layer again from its key, at rest."""
        layer = cls.__new__(cls)
        layer.key, layer._aead = key, None
        return layer

    def seal(self, plaintext: bytes, random: bytes) -> bytes:
        """Encrypt; `random` gives at least 12 bytes of nonce."""
        nonce = random[:12]
        return nonce + (self._aead or self._begin()).encrypt(nonce, plaintext, None)

    def open(self, ciphertext: bytes, start: int = 0, end: int | None = None) -> bytes:
        """Decrypt; `start` and `end` where only a part is the ciphertext. Raises CannotOpen."""
        cut = start + 12
        try:
            return (self._aead or self._begin()).decrypt(ciphertext[start:cut], ciphertext[cut:end], None)
        except (InvalidTag, ValueError) as wrong:
            raise CannotOpen("layer does not open") from wrong

    def _begin(self) -> AESGCM:
        self._aead = AESGCM(self.key)
        return self._aead

    def rest(self) -> None:
        """Keep the key alone, for a layer that may wait long: OpenSSL holds 2.5 kB for the cipher."""
        self._aead = None


class XchachaLayer:
    """XChaCha20-Poly1305 (IETF) under the role-ordered BLAKE2b key."""

    __slots__ = ("key",)

    def __init__(self, shared: bytes, client_public: bytes, server_public: bytes) -> None:
        self.key = hashlib.blake2b(shared + client_public + server_public, digest_size=32).digest()

    @classmethod
    def under(cls, key: bytes) -> XchachaLayer:
        """Make a layer again from its key."""
        layer = cls.__new__(cls)
        layer.key = key
        return layer

    def rest(self) -> None:
        """Keep the key alone, as it does anyway."""

    def seal(self, plaintext: bytes, random: bytes) -> bytes:
        """Encrypt; `random` gives at least 24 bytes of nonce."""
        nonce = random[:24]
        return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, None, nonce, self.key)

    def open(self, ciphertext: bytes, start: int = 0, end: int | None = None) -> bytes:
        """Decrypt; `start` and `end` where only a part is the ciphertext. Raises CannotOpen."""
        # The function of `bindings` by hand, without its tests of kind: every hop pays for them.
        cut = start + _NONCE_BYTES
        sealed, nonce = ciphertext[cut:end], ciphertext[start:cut]
        if len(sealed) < _TAG_BYTES:  # then the nonce may be cut off too
            raise CannotOpen("layer does not open")
        opened = _new_bytes(len(sealed) - _TAG_BYTES)
        if _open_xchacha(
            opened, _NULL, _NULL, sealed, len(sealed), _NULL, 0, nonce, self.key
        ):  # libsodium checks the tag before it writes anything
            raise CannotOpen("layer does not open")
        return bytes(ffi.buffer(opened))


class CbcLayer:
    """AES-256-CBC under the bare shared secret. Whoever alters a ciphertext alters the text unnoticed."""

    __slots__ = ("key",)

    def __init__(self, shared: bytes, client_public: bytes, server_public: bytes) -> None:
        self.key = shared

    def rest(self) -> None:
        """Keep the key alone, as it does anyway."""

    def seal(self, plaintext: bytes, random: bytes) -> bytes:
        """Encrypt; `random` gives at least 16 bytes of initial vector."""
        pad, iv = PKCS7(128).padder(), random[:16]
        turn = Cipher(AES256(self.key), CBC(iv)).encryptor()
        return iv + turn.update(pad.update(plaintext) + pad.finalize()) + turn.finalize()

    def open(self, ciphertext: bytes, start: int = 0, end: int | None = None) -> bytes:
        """Decrypt, as the others. Raises CannotOpen: no whole blocks, or padding that is none."""
        cut = start + 16
        strip = PKCS7(128).unpadder()
        try:
            turn = Cipher(AES256(self.key), CBC(ciphertext[start:cut])).decryptor()
            return strip.update(turn.update(ciphertext[cut:end]) + turn.finalize()) + strip.finalize()
        except ValueError as wrong:
            raise CannotOpen("layer does not open") from wrong


Layer = GcmLayer | XchachaLayer | CbcLayer


# The layer class of every accepted spelling, for look-ups on the hot path.
_LAYER_TYPES: Final[dict[str, type[Layer]]] = {
    name: GcmLayer if cipher is AES_GCM else XchachaLayer for name, cipher in ENC_TYPES.items()
}


def open_layer_type(enc_type: str, *, legacy: bool = False) -> type[Layer]:
    """Give the layer class for a cipher name as it stands in a frame.

    Args:
        enc_type: the name, in any spelling.
        legacy: take aes-cbc too.

    Raises:
        CannotOpen: the name is not known.
    """
    known = _LAYER_TYPES.get(enc_type)
    if known is None:
        if legacy and enc_type in LEGACY_ENC_TYPES:
            return CbcLayer
        raise CannotOpen(f"unknown enc_type {enc_type!r}"[:80])
    return known
