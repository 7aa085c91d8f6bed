"""When the account's keys are due to change, and for how long changed ones are kept (protocol-v2 5).

Each of the N registered devices computes for the active seed, created at t0,

    u   = LE64(BLAKE2b-8(device id, key = seed)) / 2^64
    due = t0 + 11 h + 2 h · (1 − u^N)

and whichever is due first and online rotates. The earliest of the N is spread evenly over 11 h to 13 h
whatever N is, so the times at which an account's public record changes do not tell how many devices it has.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.v2.rules import PUBLIC, V2Rules

_PERSON: Final = b"SessionAccKeyRot"  # Source: protocol-v2 5


def rotation_hash(device_id: bytes, active_seed: bytes) -> bytes:
    """Give the 8 bytes that a device's turn follows from."""
    return hashlib.blake2b(device_id, digest_size=8, key=active_seed, person=_PERSON).digest()


def rotation_share(device_id: bytes, active_seed: bytes) -> float:
    """Give u, evenly spread over 0 to 1."""
    return int.from_bytes(rotation_hash(device_id, active_seed), "little") / 2**64


def rotation_age_us(share: float, devices: int, rules: V2Rules = PUBLIC) -> float:
    """Give the age at which a device with that share changes a seed, µs, fractions included.

    Args:
        share: u of the device.
        devices: registered devices, 1 or more.
    """
    earliest = rules.account_key_period_us - rules.account_key_window_us / 2
    return earliest + rules.account_key_window_us * (1.0 - share**devices)


def rotation_due_us(
    device_id: bytes, active_seed: bytes, created_s: int, devices: int, rules: V2Rules = PUBLIC
) -> int:
    """Give when a device has to change the account's keys, unix µs.

    Args:
        created_s: when the active seed was made, unix s.
        devices: registered devices, this one included.

    Source: protocol-v2 5; libsession-util: src/core/devices.cpp (next_account_rotation).
    """
    share = rotation_share(device_id, active_seed)
    return created_s * US_PER_S + int(rotation_age_us(share, devices, rules))
