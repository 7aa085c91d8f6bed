"""What keys of version 2 cost an account that goes on as it is: the arithmetic of protocol-v2 8 and 13.

One group message is pushed for each change of the account's keys (by each device, if what is learnt from
others has to be pushed once more), and one for each change of a device's own keys; each change of the
account's keys also brings a public record. Sizes follow from the fields; they are written out here a second
time, apart from the code that makes the messages, and a test holds the two together. Devices are taken to be
online when something is due, and nobody to come or go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

US_PER_DAY: Final = 86_400_000_000
RECORD_BYTES: Final = 1302  # Source: protocol-v2 4
_KEM_BYTES, _X_BYTES, _ID_BYTES, _SEED_BYTES = 1184, 32, 32, 32  # Source: protocol-v2 2
_TIME_DIGITS: Final = 10  # of a unix time in seconds, until 2286
_SEQNO_DIGITS: Final = 2  # Assumption: records change once a week or so
_ALLOWANCE_BYTES, _BUCKET_BYTES, _SLOTS = 2300, 6400, 4  # Source: protocol-v2 8.2
_SLOT_BYTES: Final = 1088 + 34  # ML-KEM ciphertext; index and wrapped key. Source: protocol-v2 8.2
_KICKED_BYTES: Final = 16  # Source: protocol-v2 8.2
_TAG_BYTES, _SIGNATURE_BYTES, _GROUP_ID_BYTES = 16, 64, 8


@dataclass(frozen=True, slots=True)
class KeyLaw:
    """The settings that decide what keys cost. Times in µs.

    Args:
        account_period_us: mean age at which an account's keys change.
        account_retention_us: how long changed ones are kept.
        device_period_us: mean age at which a device changes its own keys; 0 for never.
        pushed_by_each: whether each device pushes each seed once.
    """

    account_period_us: float
    account_retention_us: float
    device_period_us: float
    pushed_by_each: bool

    @property
    def changes_per_day(self) -> float:
        """Changes of an account's keys a day."""
        return US_PER_DAY / self.account_period_us

    @property
    def device_changes_per_day(self) -> float:
        """Changes of one device's own keys a day."""
        return US_PER_DAY / self.device_period_us if self.device_period_us else 0.0

    @property
    def seeds(self) -> int:
        """Account seeds that a device holds: the active one, and those kept. Source: protocol-v2 5."""
        return 1 + int(self.account_retention_us // self.account_period_us)

    def pushes_per_day(self, devices: int) -> float:
        """Group messages that an account's devices push a day."""
        by_each = devices if self.pushed_by_each else 1
        return self.changes_per_day * by_each + self.device_changes_per_day * devices

    def uploaded_per_day(self, devices: int, description_bytes: int) -> float:
        """Bytes of group messages and records that an account's devices upload a day, before base64."""
        group = group_message_bytes(devices, self.seeds, description_bytes)
        return self.pushes_per_day(devices) * group + self.changes_per_day * RECORD_BYTES


def _string(size: int) -> int:
    """Bencoded length of a byte string."""
    return len(str(size)) + 1 + size


def payload_bytes(devices: int, seeds: int, description_bytes: int) -> int:
    """Give the length of a group message's payload, without padding. Source: protocol-v2 8.1."""
    time = _TIME_DIGITS + 2
    record = 2 + 3 + _SEQNO_DIGITS + 2 + 3 + time  # d e, number, time
    record += sum(3 + _string(size) for size in (_KEM_BYTES, _X_BYTES, description_bytes))
    seed = 2 + 3 + time + 3 + _string(_SEED_BYTES)
    kept = seed + 3 + time  # with the time of its change
    listed = devices * (_string(_ID_BYTES) + record), seed + (seeds - 1) * kept
    return 2 + sum(3 + 2 + part for part in listed)


def group_message_bytes(devices: int, seeds: int, description_bytes: int, removed: int = 0) -> int:
    """Give the length of a group message as a swarm stores it. Source: protocol-v2 8.2.

    Args:
        devices: registered ones, 1 or more.
        removed: devices that are named as kicked; their tombstones are in no other way counted.
    """
    over = payload_bytes(devices, seeds, description_bytes) - _ALLOWANCE_BYTES
    padded = _ALLOWANCE_BYTES + _BUCKET_BYTES * max(1, -(-over // _BUCKET_BYTES))
    slots = -(-devices // _SLOTS) * _SLOTS
    fields = [1, _GROUP_ID_BYTES, _X_BYTES, slots * 1088, slots * 34, _X_BYTES, padded + _TAG_BYTES]
    fields += [-(-removed // _SLOTS) * _SLOTS * _KICKED_BYTES] if removed else []
    fields.append(_SIGNATURE_BYTES)
    # d e; the first key is empty, all others are one letter.
    return 2 + 2 + sum(3 + _string(size) for size in fields) - 3
