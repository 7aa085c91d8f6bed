"""Boxes under a key stretched from a word: Argon2id13, then XSalsa20-Poly1305 (messages 10).

Only the oldest entries of the name service are sealed like this; salt and nonce are zero. A key costs
256 MiB for a moment and about a second of a processor, whatever the box holds, so the last few are kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from sessionsim.core.errors import CannotOpen

_SALT: Final = bytes(bindings.crypto_pwhash_SALTBYTES)  # Source: messages 10
_NONCE: Final = bytes(bindings.crypto_secretbox_NONCEBYTES)  # Source: messages 10


@lru_cache(maxsize=64)  # Assumption: more names than a run looks up in the old form
def _key(word: bytes) -> bytes:
    return bytes(
        bindings.crypto_pwhash_alg(
            32,
            word,
            _SALT,
            bindings.crypto_pwhash_argon2id_OPSLIMIT_MODERATE,  # Source: messages 10
            bindings.crypto_pwhash_argon2id_MEMLIMIT_MODERATE,  # Source: messages 10
            bindings.crypto_pwhash_ALG_ARGON2ID13,
        )
    )


def seal(plaintext: bytes, word: bytes) -> bytes:
    """Encrypt; 16 bytes longer than the plaintext. Same word and text, same bytes."""
    return bytes(bindings.crypto_secretbox_easy(plaintext, _NONCE, _key(word)))


def unseal(ciphertext: bytes, word: bytes) -> bytes:
    """Decrypt. Raises CannotOpen: another word, altered, or too short; the last without stretching a key."""
    if len(ciphertext) < bindings.crypto_secretbox_MACBYTES:
        raise CannotOpen("too short for a box")
    try:
        return bytes(bindings.crypto_secretbox_open_easy(ciphertext, _NONCE, _key(word)))
    except (CryptoError, ValueError, TypeError) as wrong:
        raise CannotOpen("box does not open") from wrong
