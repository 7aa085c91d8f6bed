"""AES-256-CBC with PKCS#7 padding, as legacy attachments use it (messages 6.1).

It hides and does not authenticate: the caller checks a MAC first.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from sessionsim.core.errors import CannotOpen, LocalProtocolError

BLOCK_BYTES: Final = 16  # Source: FIPS 197
IV_BYTES: Final = 16  # Source: messages 6.1
KEY_BYTES: Final = 32  # Source: messages 6.1


def encrypt(plaintext: bytes, iv16: bytes, key32: bytes) -> bytes:
    """Pad and encrypt; the result is 1 to 16 bytes longer, a multiple of 16, and does not hold the iv.

    Raises:
        LocalProtocolError: an iv or key of wrong length.
    """
    if len(iv16) != IV_BYTES or len(key32) != KEY_BYTES:
        raise LocalProtocolError("AES-256-CBC takes an iv of 16 and a key of 32 bytes")
    padder, encryptor = PKCS7(8 * BLOCK_BYTES).padder(), Cipher(AES(key32), CBC(iv16)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def decrypt(ciphertext: bytes, iv16: bytes, key32: bytes) -> bytes:
    """Decrypt and take the padding off.

    Raises:
        CannotOpen: no whole number of blocks, an iv or key of wrong length, or malformed padding.
    """
    try:
        decryptor, unpadder = Cipher(AES(key32), CBC(iv16)).decryptor(), PKCS7(8 * BLOCK_BYTES).unpadder()
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as wrong:
        raise CannotOpen("not an AES-CBC ciphertext of this key") from wrong
