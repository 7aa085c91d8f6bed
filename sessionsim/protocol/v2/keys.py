"""Keys of V2: a 32-byte seed becomes an X25519 pair and an ML-KEM-768 pair (protocol-v2 3).

    SHAKE256(domain ‖ seed) = X25519 secret (32) ‖ ML-KEM seed (64)

Device seeds never leave their device; account seeds are shared by the devices of an account, and only as
seeds. X-Wing's own expansion has another order and no domain, so a library for it gives other keys. In the
`fast` suite the X25519 half is real (it is published) and the ML-KEM half a stand-in.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import KemPair, KeyPair, Suite, mlkem, real

SEED_BYTES: Final = 32  # Source: protocol-v2 2
DEVICE_DOMAIN: Final = b"SessionDeviceKeys"  # Source: protocol-v2 3
ACCOUNT_DOMAIN: Final = b"SessionAccountKeys"  # Source: protocol-v2 3


class PublicKeys(NamedTuple):
    """The public half. Args: kem: ML-KEM-768 key, 1184 bytes; x: X25519 key, 32 bytes."""

    kem: bytes
    x: bytes


class HybridKeys(NamedTuple):
    """Both pairs of one seed."""

    kem: KemPair
    x: KeyPair

    @property
    def public(self) -> PublicKeys:
        """What others may know."""
        return PublicKeys(self.kem.public, self.x.public)


def expand(domain: bytes, seed: bytes) -> tuple[bytes, bytes]:
    """Give the X25519 secret (32 bytes) and the ML-KEM seed (64 bytes) of a seed.

    Raises:
        LocalProtocolError: the seed has not 32 bytes.
    Source: protocol-v2 3; libsession-util: src/core/devices.cpp (keys_from_seed).
    """
    if len(seed) != SEED_BYTES:
        raise LocalProtocolError(f"a seed of V2 has {SEED_BYTES} bytes, not {len(seed)}")
    expanded = hashlib.shake_256(domain + seed).digest(32 + mlkem.SEED_BYTES)
    return expanded[:32], expanded[32:]


def device_keys(suite: Suite, seed: bytes) -> HybridKeys:
    """Give a device's keys, which open device group messages. Raises LocalProtocolError: not 32 bytes."""
    return _keys(suite, DEVICE_DOMAIN, seed)


def account_keys(suite: Suite, seed: bytes) -> HybridKeys:
    """Give an account's keys, which open direct messages. Raises LocalProtocolError: not 32 bytes."""
    return _keys(suite, ACCOUNT_DOMAIN, seed)


def _keys(suite: Suite, domain: bytes, seed: bytes) -> HybridKeys:
    x_secret, kem_seed = expand(domain, seed)
    return HybridKeys(suite.kem_keypair(kem_seed), real.x25519_keypair(x_secret))
