"""Key slots of a device group message: the payload's key, wrapped for each registered device (8.2).

    shared    DH(a, B), and (s, c) = encapsulation to M, for a device with keys B, M
    wrap key  BLAKE2b-32(DH(a, B) ‖ A ‖ B ‖ s ‖ M)
    nonce     BLAKE2b-24(c ‖ encrypted payload, key = A)
    wrapped   XChaCha20 (no tag) of the payload's key
    index     BLAKE2b-2(A ‖ B ‖ M ‖ c ‖ wrapped): lets a device skip slots that are not its own

Nothing but the payload's tag proves that a slot was opened rightly.
Source: libsession-util: src/core/devices.cpp (encrypt_device_data, decrypt_device_data).
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from sessionsim.protocol.crypto import mlkem, xchacha
from sessionsim.protocol.v2.keys import PublicKeys

SLOT_MULTIPLE: Final = 4  # Source: protocol-v2 8.2
INDEX_BYTES: Final = 2  # Source: protocol-v2 2
KEY_SLOT_BYTES: Final = INDEX_BYTES + 32  # Source: protocol-v2 2
CIPHERTEXT_BYTES: Final = mlkem.CIPHERTEXT_BYTES
_PAYLOAD_NONCE: Final = b"SessionDevDNonce"  # Source: protocol-v2 8.2
_WRAP_NONCE: Final = b"SessionDevKNonce"  # Source: protocol-v2 8.2
_WRAP_KEY: Final = b"SessionDevKeyKey"  # Source: protocol-v2 8.2
_INDEX: Final = b"SessionDevKeyIdx"  # Source: protocol-v2 8.2, 11 (older code: …Ind)


class Wrapped(NamedTuple):
    """One wrapped key, and what it was made of. Args: check: the index, 2 bytes; the others 32, nonce 24."""

    check: bytes
    wrapped: bytes
    key: bytes
    nonce: bytes


def slots_for(count: int) -> int:
    """Give how many slots so many entries get: the next multiple of four."""
    return -(-count // SLOT_MULTIPLE) * SLOT_MULTIPLE


def payload_nonce(ciphertexts: bytes, ephemeral: bytes) -> bytes:
    """Give the payload's nonce; a change in any ciphertext spoils the payload for all."""
    return hashlib.blake2b(ciphertexts, digest_size=24, key=ephemeral, person=_PAYLOAD_NONCE).digest()


def wrap(
    payload_key: bytes,
    ephemeral: bytes,
    device: PublicKeys,
    x_shared: bytes,
    kem_shared: bytes,
    ciphertext: bytes,
    sealed_payload: bytes,
) -> Wrapped:
    """Wrap the payload's key for one device. Lengths as in the module's text."""
    key, nonce = _wrapping(ephemeral, device, x_shared, kem_shared, ciphertext, sealed_payload)
    wrapped = xchacha.xor(payload_key, nonce, key)
    return Wrapped(slot_index(ephemeral, device, ciphertext, wrapped), wrapped, key, nonce)


def unwrap(
    wrapped: bytes,
    ephemeral: bytes,
    device: PublicKeys,
    x_shared: bytes,
    kem_shared: bytes,
    ciphertext: bytes,
    sealed_payload: bytes,
) -> bytes:
    """Give the payload's key of a slot; any 32 bytes if the slot is another device's."""
    key, nonce = _wrapping(ephemeral, device, x_shared, kem_shared, ciphertext, sealed_payload)
    return xchacha.xor(wrapped, nonce, key)


def slot_index(ephemeral: bytes, device: PublicKeys, ciphertext: bytes, wrapped: bytes) -> bytes:
    """Give the two bytes in front of a wrapped key."""
    text = ephemeral + device.x + device.kem + ciphertext + wrapped
    return hashlib.blake2b(text, digest_size=INDEX_BYTES, person=_INDEX).digest()


def _wrapping(
    ephemeral: bytes,
    device: PublicKeys,
    x_shared: bytes,
    kem_shared: bytes,
    ciphertext: bytes,
    sealed_payload: bytes,
) -> tuple[bytes, bytes]:
    text = x_shared + ephemeral + device.x + kem_shared + device.kem
    key = hashlib.blake2b(text, digest_size=32, person=_WRAP_KEY).digest()
    nonce = hashlib.blake2b(
        ciphertext + sealed_payload, digest_size=24, key=ephemeral, person=_WRAP_NONCE
    ).digest()
    return key, nonce
