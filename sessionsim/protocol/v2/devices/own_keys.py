"""A device's own keys, with which the group's messages are encrypted to it; they never leave it (3; H1, H2).

The public design says that they change but not when; its code never changes them. Here a device changes
them at an age drawn for each key from the device's id and the key itself, so that it needs no memory of a
plan. A replaced key is kept until the device's new record has been pushed and some time more, since another
device may be writing to the old one meanwhile.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.v2.keys import SEED_BYTES, HybridKeys, device_keys
from sessionsim.protocol.v2.rules import V2Rules

_PERSON: Final = b"sessionsim DvRot"  # Assumption: protocol-v2 11 H1 leaves the law open


@dataclass(frozen=True, slots=True)
class _Held:
    seed: bytes
    created_s: int
    replaced: bool = False
    drop_at_us: int | None = None  # known once the record with the key after it is pushed


class OwnKeys:
    """The device keys of one device. Args: seed: the first one, 32 bytes; now_us: unix µs."""

    def __init__(self, suite: Suite, seed: bytes, now_us: int) -> None:
        self._suite = suite
        self._held: list[_Held] = []
        self.rotate(seed, now_us)

    @property
    def current(self) -> HybridKeys:
        """The keys that the device's record names."""
        return device_keys(self._suite, self._held[0].seed)

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """The seeds of all keys that open messages, the current one first."""
        return tuple(held.seed for held in self._held)

    @property
    def all(self) -> list[HybridKeys]:
        """All keys that open messages, the current ones first."""
        return [device_keys(self._suite, held.seed) for held in self._held]

    def rotate(self, seed: bytes, now_us: int) -> None:
        """Change to fresh keys. Raises LocalProtocolError: not 32 bytes, or held."""
        if len(seed) != SEED_BYTES or any(held.seed == seed for held in self._held):
            raise LocalProtocolError("a device's keys come from a fresh seed of 32 bytes")
        older = [replace(held, replaced=True) for held in self._held]
        self._held = [_Held(seed, now_us // US_PER_S), *older]

    def due_us(self, device_id: bytes, rules: V2Rules) -> int | None:
        """Give when the current keys are to be changed, unix µs; None for never (hole H1)."""
        if rules.device_key_rotation == "never":
            return None
        held = self._held[0]
        drawn = hashlib.blake2b(device_id, digest_size=8, key=held.seed, person=_PERSON).digest()
        share = int.from_bytes(drawn, "little") / 2**64
        age_us = rules.device_key_period_us + round((2 * share - 1) * rules.device_key_jitter_us)
        return held.created_s * US_PER_S + max(0, age_us)

    def pushed(self, now_us: int, retention_us: int) -> None:
        """Note that the group has the current keys: replaced ones are kept so much longer (hole H2)."""
        self._held = [
            replace(held, drop_at_us=now_us + retention_us)
            if held.replaced and held.drop_at_us is None
            else held
            for held in self._held
        ]

    @property
    def lapse_us(self) -> int | None:
        """When the time of a replaced key is over next, unix µs; None if that is not known of any."""
        return min((held.drop_at_us for held in self._held if held.drop_at_us is not None), default=None)

    def drop_lapsed(self, now_us: int) -> int:
        """Forget replaced keys whose time is over; returns how many."""
        kept = [held for held in self._held if held.drop_at_us is None or now_us < held.drop_at_us]
        dropped = len(self._held) - len(kept)
        self._held = kept
        return dropped
