"""A group with an admin, two members and a stranger, under both suites."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import pytest

from sessionsim.protocol.crypto import Suite, suite_named
from sessionsim.protocol.groups import Group, KeyRing, Rekeyed, group_from_seed, open_keys, rekey
from sessionsim.protocol.identity import Account, account_from_seed


@dataclass(frozen=True)
class Cast:
    """Who plays in a test. Args: made: the first key, for the admin and both members."""

    suite: Suite
    group: Group
    admin: Account
    alice: Account
    bob: Account
    stranger: Account
    made: Rekeyed

    stored_ms: ClassVar[int] = 1_777_000_000_000
    day_ms: ClassVar[int] = 24 * 60 * 60 * 1000

    def ring(self, reader: Account | Group, *messages: bytes) -> KeyRing:
        """Give a ring with what the reader finds in the first and in these messages, a day apart."""
        ring = KeyRing()
        for number, message in enumerate((self.made.message, *messages)):
            time_ms = self.stored_ms + number * self.day_ms
            ring.take(open_keys(self.suite, self.group.id, reader, message, time_ms), f"hash {number}")
        return ring

    @staticmethod
    def raw(name: object, size: int = 64) -> bytes:
        """Give bytes that belong to a name."""
        return hashlib.shake_128(repr(name).encode()).digest(size)

    @staticmethod
    def account(name: object) -> Account:
        """Give somebody else."""
        return account_from_seed(Cast.raw(name, 16))


def make_cast(suite: Suite) -> Cast:
    group = group_from_seed(Cast.raw("group", 32))
    admin, alice, bob, stranger = map(Cast.account, ("admin", "alice", "bob", "stranger"))
    made = rekey(suite, group, [admin.id, alice.id, bob.id], 0)
    return Cast(suite, group, admin, alice, bob, stranger, made)


CASTS = {name: make_cast(suite_named(name)) for name in ("fast", "sodium")}


@pytest.fixture(params=list(CASTS))
def cast(request: pytest.FixtureRequest) -> Cast:
    return CASTS[request.param]


@pytest.fixture(scope="session")
def fast() -> Cast:
    """The cast with the cheap suite, for tests in which the curve does not matter."""
    return CASTS["fast"]
