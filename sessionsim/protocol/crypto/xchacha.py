"""XChaCha20 without authentication, as a key stream from its first block (libsodium's crypto_stream).

For values that are checked by other means: wrapped keys and group ids of device groups (protocol-v2 8.2).
HChaCha20, which turns key and nonce into a subkey, is taken from a whole ChaCha20 block: that block is the
permuted state plus the initial one, and HChaCha20 is the first and last row without that addition.
Source: draft-irtf-cfrg-xchacha section 2.2, 2.3; RFC 8439 section 2.3.
"""

from __future__ import annotations

import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from sessionsim.core.errors import LocalProtocolError

KEY_BYTES: Final = 32  # Source: draft-irtf-cfrg-xchacha section 2.3
NONCE_BYTES: Final = 24  # Source: draft-irtf-cfrg-xchacha section 2.3
_WORDS: Final = struct.Struct("<4I")
_CONSTANTS: Final = _WORDS.unpack(b"expand 32-byte k")  # Source: RFC 8439 section 2.3
_MASK: Final = 0xFFFFFFFF


def xor(message: bytes, nonce24: bytes, key32: bytes) -> bytes:
    """Encrypt or decrypt, which is the same; as long as the message.

    Raises:
        LocalProtocolError: a key or nonce of wrong length.
    """
    if len(key32) != KEY_BYTES or len(nonce24) != NONCE_BYTES:
        raise LocalProtocolError("XChaCha20 takes a key of 32 and a nonce of 24 bytes")
    return _stream(_hchacha20(key32, nonce24[:16]), bytes(8) + nonce24[16:], message)


def _stream(key32: bytes, counter_and_nonce: bytes, message: bytes) -> bytes:
    encryptor = Cipher(algorithms.ChaCha20(key32, counter_and_nonce), None).encryptor()
    return bytes(encryptor.update(message))


def _hchacha20(key32: bytes, nonce16: bytes) -> bytes:
    block = _stream(key32, nonce16, bytes(64))
    first, last = _WORDS.unpack_from(block), _WORDS.unpack_from(block, 48)
    return _without(first, _CONSTANTS) + _without(last, _WORDS.unpack(nonce16))


def _without(words: tuple[int, ...], added: tuple[int, ...]) -> bytes:
    return _WORDS.pack(*(word - extra & _MASK for word, extra in zip(words, added, strict=True)))
