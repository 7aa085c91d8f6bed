"""Layers opened by the hundred thousand, as deduction does: most of them once, so without an object for each.

Keys and formats are those of `layer`, and what comes out is the same (tested). AES-256-GCM is libsodium's
where the processor has instructions for it, since that needs no set-up; elsewhere it is that of `layer`.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Final

from nacl._sodium import ffi, lib  # what `nacl.bindings` stands on, ready to use once that is imported

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto.layer import (
    AES_GCM,
    HMAC_INNER,
    HMAC_OUTER,
    XCHACHA20,
    GcmLayer,
    Layer,
    XchachaLayer,
)

_TAG_BYTES: Final = 16  # of both ciphers. Source: transport 3.3
_GCM_NONCE_BYTES: Final = 12  # Source: transport 3.3
_XCHACHA_NONCE_BYTES: Final = 24  # Source: transport 3.3
_ROOM_BYTES: Final = 1 << 16  # Assumption: nearly all layers are shorter; others get room of their own
_NULL: Final = ffi.NULL
_new_bytes: Final = partial(ffi.new, ffi.typeof("unsigned char[]"))
_GCM: Final = _GCM_NONCE_BYTES, lib.crypto_aead_aes256gcm_decrypt
_XCHACHA: Final = _XCHACHA_NONCE_BYTES, lib.crypto_aead_xchacha20poly1305_ietf_decrypt
HAS_GCM: Final = bool(lib.crypto_aead_aes256gcm_is_available())


class Opener:
    """Opens layers in one place of memory, so in one thread only. Args: quick: by libsodium alone."""

    __slots__ = ("_quick", "_room", "_shown")

    def __init__(self, *, quick: bool = HAS_GCM) -> None:
        self._quick = quick
        self._room = _new_bytes(_ROOM_BYTES)
        self._shown = ffi.buffer(self._room)

    def open(
        self, enc_type: str, shared: bytes, client: bytes, server: bytes, ciphertext: bytes
    ) -> tuple[bytes, bytes]:
        """Open a layer.

        Args:
            enc_type: the usual name of its cipher.
            shared: what was agreed; client, server: public keys, in their roles.

        Returns:
            The key that it opens under, and the plaintext.

        Raises:
            CannotOpen: wrong key, altered bytes, or another cipher.
        """
        if enc_type == AES_GCM:
            inner, outer = HMAC_INNER.copy(), HMAC_OUTER.copy()
            inner.update(shared)
            outer.update(inner.digest())
            key = outer.digest()
        elif enc_type == XCHACHA20:
            key = hashlib.blake2b(shared + client + server, digest_size=32).digest()
        else:
            raise CannotOpen("another cipher")
        return key, self.open_under(enc_type, key, ciphertext)

    def open_under(self, enc_type: str, key: bytes, ciphertext: bytes) -> bytes:
        """Open what is sealed under the key of a layer. Raises CannotOpen."""
        begin, opening = _GCM if enc_type == AES_GCM else _XCHACHA
        sealed = ciphertext[begin:]
        length = len(sealed) - _TAG_BYTES
        if not (self._quick and 0 <= length <= _ROOM_BYTES):
            layer = layer_under(enc_type, key)
            return layer.open(ciphertext)
        if opening(self._room, _NULL, _NULL, sealed, len(sealed), _NULL, 0, ciphertext, key):
            raise CannotOpen("layer does not open")
        opened: bytes = self._shown[:length]
        return opened

    def open_again(self, layer: Layer, ciphertext: bytes) -> bytes:
        """Open what is sealed under a layer that is there, such as an answer. Raises CannotOpen."""
        if type(layer) is GcmLayer:
            return self.open_under(AES_GCM, layer.key, ciphertext)
        return layer.open(ciphertext)


def layer_under(enc_type: str, key: bytes) -> Layer:
    """Make a layer from its key. Args: enc_type: the usual name of its cipher."""
    return GcmLayer.under(key) if enc_type == AES_GCM else XchachaLayer.under(key)
