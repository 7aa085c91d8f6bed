"""ML-KEM-768 (FIPS 203), real: key pairs of 64-byte seeds, encapsulation, decapsulation.

Only seeds are kept and shared between devices; the expanded keys that OpenSSL works with are made on first
use and cached, since expanding and parsing cost more than the operations (protocol-v2 14). The library draws
the randomness of an encapsulation itself and cannot be given any; `drawn_kem` can. Decapsulation refuses
nothing of the right length: a wrong key or an altered ciphertext gives another secret (implicit rejection),
and what is built on it fails to open.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from sessionsim.core.errors import CannotOpen, LocalProtocolError

PUBLIC_BYTES: Final = 1184  # encapsulation key. Source: FIPS 203 table 3
CIPHERTEXT_BYTES: Final = 1088  # Source: FIPS 203 table 3
SHARED_BYTES: Final = 32  # Source: FIPS 203 table 3
SEED_BYTES: Final = 64  # d ‖ z. Source: FIPS 203 section 7.1
COINS_BYTES: Final = 32  # randomness of one encapsulation. Source: FIPS 203 section 7.2
MODULUS: Final = 3329  # of the coefficients of a key. Source: FIPS 203 section 2.4
COEFFICIENTS_BYTES: Final = 1152  # 768 coefficients of 12 bits, then 32 bytes. Source: FIPS 203 section 5

_CACHED_PUBLIC: Final = 8192  # Assumption: keys that a process of a run writes to; some 10 kB each
_CACHED_PRIVATE: Final = 4096  # Assumption: keys that a process of a run reads with


@lru_cache(maxsize=_CACHED_PUBLIC)
def _parsed(public: bytes) -> MLKEM768PublicKey:
    return MLKEM768PublicKey.from_public_bytes(public)


@lru_cache(maxsize=_CACHED_PRIVATE)
def _expanded(seed: bytes) -> MLKEM768PrivateKey:
    return MLKEM768PrivateKey.from_seed_bytes(seed)


@lru_cache(maxsize=_CACHED_PRIVATE)
def public_of(seed: bytes) -> bytes:
    """Give the encapsulation key of a 64-byte seed. Raises LocalProtocolError: another length."""
    if len(seed) != SEED_BYTES:
        raise LocalProtocolError(f"a seed of ML-KEM has {SEED_BYTES} bytes, not {len(seed)}")
    return _expanded(seed).public_key().public_bytes_raw()


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """Make a secret for the holder of a key.

    Returns:
        The secret (32 bytes) and its ciphertext (1088 bytes).

    Raises:
        CannotOpen: not 1184 bytes, or a coefficient is not below the modulus.
    """
    try:
        return _parsed(public).encapsulate()
    except ValueError as wrong:
        raise CannotOpen("not an ML-KEM-768 public key") from wrong


def decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """Give the secret of a ciphertext, 32 bytes; another one for another key or an altered ciphertext.

    Raises:
        CannotOpen: not 1088 bytes.
    """
    if len(ciphertext) != CIPHERTEXT_BYTES:
        raise CannotOpen(f"an ML-KEM-768 ciphertext has {CIPHERTEXT_BYTES} bytes")
    return _expanded(seed).decapsulate(ciphertext)
