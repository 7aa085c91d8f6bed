"""The account seeds that a device holds: the active one, and changed ones that still open messages (5).

The newest seed is active; of two of one second the smaller wins. Whatever it replaces, or beats, is changed
at the winner's creation time. A seed met twice takes the earlier of the two times of change, so what several
devices have seen settles to one state once each has heard of it all. All times are whole unix seconds, as
they stand on the wire. Source: protocol-v2 5; libsession-util: src/core/devices.cpp, src/core/schema
(device_account_key_rotation).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.v2.keys import SEED_BYTES

# Assumption: far beyond any clock, and far from where counting a time up leaves 64 bits.
LATEST_S: Final = 1 << 53


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """One seed. Args: seed: 32 bytes; created_s: unix s; rotated_s: when it was replaced; None if active."""

    seed: bytes
    created_s: int
    rotated_s: int | None = None


def in_order(seeds: Iterable[AccountSeed]) -> list[AccountSeed]:
    """Sort as messages carry them: the active one, then the most recently changed first.

    The code leaves the order of seeds that agree in both times open; here the smaller comes first.
    """
    return sorted(seeds, key=_place)


def _place(held: AccountSeed) -> tuple[bool, int, int, bytes]:
    return held.rotated_s is not None, -(held.rotated_s or 0), -held.created_s, held.seed


class SeedRing:
    """All seeds of an account on one device."""

    def __init__(self) -> None:
        self._seeds: dict[bytes, AccountSeed] = {}
        self._ordered: tuple[AccountSeed, ...] | None = ()  # None: to be sorted anew

    @property
    def held(self) -> tuple[AccountSeed, ...]:
        """All seeds, in the order of messages; the same object until something changes."""
        if self._ordered is None:
            self._ordered = tuple(in_order(self._seeds.values()))
        return self._ordered

    @property
    def active(self) -> AccountSeed | None:
        """The seed whose keys are published; None before there is any."""
        return self.held[0] if self.held and self.held[0].rotated_s is None else None

    def rotate(self, seed: bytes, now_s: int) -> AccountSeed:
        """Take a fresh seed as the active one; it is newer than every held one, even within a second.

        Only a member that claims `LATEST_S` for a seed of its own can prevent that: nobody reads a later one.

        Args:
            seed: 32 bytes never used before.

        Raises:
            LocalProtocolError: another length, or a seed that is held.
        """
        if len(seed) != SEED_BYTES or seed in self._seeds:
            raise LocalProtocolError("a rotation takes a fresh seed of 32 bytes")
        newest = max((held.created_s for held in self._seeds.values()), default=now_s - 1)
        made = AccountSeed(seed, min(max(now_s, newest + 1), LATEST_S))
        self._take(made)
        return made

    def merge(self, seeds: Iterable[AccountSeed]) -> bool:
        """Take in the seeds of a message. Returns whether anything changed."""
        changed = False
        for found in seeds:
            held = self._seeds.get(found.seed)
            if held is None:
                self._take(found)
                changed = True
            elif found.rotated_s is not None and (held.rotated_s is None or found.rotated_s < held.rotated_s):
                self._set(replace(held, rotated_s=found.rotated_s))
                changed = True
        return changed

    def _set(self, held: AccountSeed) -> None:
        self._seeds[held.seed] = held
        self._ordered = None

    def _take(self, found: AccountSeed) -> None:
        self._set(found)
        if found.rotated_s is not None:
            return
        active = [held for held in self._seeds.values() if held.rotated_s is None]
        winner = min(active, key=lambda held: (-held.created_s, held.seed))
        for held in active:
            if held is not winner:
                self._set(replace(held, rotated_s=winner.created_s))

    def drop_lapsed(self, now_s: int, retention_s: int) -> tuple[AccountSeed, ...]:
        """Forget seeds changed more than `retention_s` ago; returns them."""
        lapsed = tuple(
            held
            for held in self._seeds.values()
            if held.rotated_s is not None and held.rotated_s < now_s - retention_s
        )
        for held in lapsed:
            del self._seeds[held.seed]
            self._ordered = None
        return lapsed

    def clear(self) -> None:
        """Forget everything, on leaving a group."""
        self._seeds.clear()
        self._ordered = ()
