"""Real operations shared by both suites: identities, stored signatures, conversions.

Ed25519 secrets are kept as 32-byte seeds; libsodium's 64-byte form is made here and cached, since
PyNaCl signs with it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from nacl import bindings
from nacl.exceptions import CryptoError

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto.suite import KeyPair

_CACHED_KEYS = 65536  # Assumption: more identities than any one process of a run touches


@lru_cache(maxsize=_CACHED_KEYS)
def ed25519_keypair(seed: bytes) -> KeyPair:
    """Make the Ed25519 pair of a 32-byte seed. Source: transport 1.1."""
    public, _secret64 = bindings.crypto_sign_seed_keypair(seed)
    return KeyPair(public, seed)


@lru_cache(maxsize=_CACHED_KEYS)
def x25519_keypair(secret: bytes) -> KeyPair:
    """Make the X25519 pair of a 32-byte secret scalar."""
    return KeyPair(bindings.crypto_scalarmult_base(secret), secret)


def is_x25519_key(public: bytes) -> bool:
    """Say whether 32 bytes are a key to agree with: no point of small order, which libsodium refuses."""
    try:
        bindings.crypto_scalarmult(bytes(32), public)  # the scalar is clamped, so any will do
    except (CryptoError, ValueError, TypeError):
        return False
    return True


@lru_cache(maxsize=_CACHED_KEYS)
def x25519_of_ed25519(pair: KeyPair) -> KeyPair:
    """Convert an Ed25519 pair; the scalar is the clamped half of SHA-512(seed). Source: transport 1.1."""
    return KeyPair(
        bindings.crypto_sign_ed25519_pk_to_curve25519(pair.public),
        bindings.crypto_sign_ed25519_sk_to_curve25519(pair.secret + pair.public),
    )


@lru_cache(maxsize=_CACHED_KEYS)
def x25519_public_of_ed25519(public: bytes) -> bytes:
    """Convert an Ed25519 public key. Raises CannotOpen when it is no valid point."""
    try:
        return bindings.crypto_sign_ed25519_pk_to_curve25519(public)
    except (CryptoError, ValueError, TypeError) as wrong:
        raise CannotOpen("not an Ed25519 public key") from wrong


def ed25519_sign(own: KeyPair, message: bytes) -> bytes:
    """Sign with Ed25519; 64 bytes, deterministic."""
    return bindings.crypto_sign(message, own.secret + own.public)[:64]


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature; False for anything malformed."""
    if len(public) != 32 or len(signature) != 64:  # PyNaCl checks neither, libsodium would read past the end
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except (CryptoError, ValueError, TypeError):
        return False
    return True


def box_nonce(ephemeral_public: bytes, recipient: bytes) -> bytes:
    """Nonce of a sealed box: BLAKE2b-24 of both public keys. Source: messages 1, libsodium."""
    return hashlib.blake2b(ephemeral_public + recipient, digest_size=24).digest()
