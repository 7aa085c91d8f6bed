"""Secrets that stand in clear: keys of accounts and groups, and recovery phrases, among the strings of a run.

A string is a secret of whoever's public key follows from it. So of each string what follows is computed, as
an Ed25519 seed, an X25519 scalar, the entropy of an account or a group's seed, and held against the ids that
occur in the run. What fits is used like any key, by who could read the string, since then.
Source: metrics 2i (sub-terms are keys too); transport 1.1, 1.3; messages 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from sessionsim.adversary.columns import Ints
from sessionsim.adversary.fields import KEY_BYTES, hex_bytes
from sessionsim.adversary.keyring import ACCOUNT_OWNER, NEVER, Keys
from sessionsim.adversary.meaning import Meaning
from sessionsim.adversary.names import STRING
from sessionsim.adversary.openings import Openings
from sessionsim.adversary.spellings import spellings
from sessionsim.core.view import HeldKey
from sessionsim.protocol.crypto import KeyPair, real
from sessionsim.protocol.groups.identity import GROUP_PREFIX
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ENTROPY_BYTES

_LONG_BYTES: Final = 64  # of an Ed25519 secret with its public key behind the seed


class Leak(NamedTuple):
    """A secret in a string.

    Args:
        string: the string's term; kind: what the secret is, as `HeldKey` names kinds.
        id: of whose it is, 33 bytes, an account's or a group's.
    """

    string: str
    kind: str
    id: bytes
    pair: KeyPair

    @property
    def is_of_group(self) -> bool:
        """Whether it is a group's."""
        return self.id.startswith(GROUP_PREFIX)

    def is_new(self, keys: Keys, openings: Openings) -> bool:
        """Say whether nothing that opens as much was there from the start."""
        if self.is_of_group:
            return not openings.has_seed(self.id)
        if self.kind == "x25519":
            return keys.account(self.id) is None
        return all(account.id != self.id for _, account in keys.accounts())

    def number(self, keys: Keys, openings: Openings) -> int:
        """Give the number of the secret."""
        return openings.learn_group(self.pair.secret) if self.is_of_group else keys.find(self.id[1:])


def keys_of(leaks: Iterable[Leak]) -> list[HeldKey]:
    """Give the keys of accounts among leaks."""
    return [
        HeldKey(leak.kind, f"{ACCOUNT_OWNER}{leak.id.hex()}", *leak.pair)
        for leak in leaks
        if not leak.is_of_group
    ]


def leaked_us(leaks: Iterable[tuple[int, Leak]], n: int, read_us: Callable[[str], int]) -> Ints:
    """Give when each of n secrets could be read in clear; NEVER for others.

    Args:
        leaks: each with the number of its secret.
        read_us: when a string could be read.
    """
    found = np.full(n, NEVER, np.int64)
    for secret, leak in leaks:
        found[secret] = min(int(found[secret]), read_us(leak.string))
    return found


def leaks_of(meaning: Meaning, keys: Keys) -> tuple[list[tuple[int, Leak]], list[Leak]]:
    """Find the secrets in what was read, with their numbers; or those to read it anew with."""
    leaks = leaks_in(meaning.names, meaning.ids() | {inbox for _, inbox in meaning.hashes})
    if any(leak.is_new(keys, meaning.openings) for leak in leaks):
        return [], leaks
    return [(leak.number(keys, meaning.openings), leak) for leak in leaks], []


def leaks_in(terms: Iterable[str], ids: Collection[bytes]) -> list[Leak]:
    """Find secrets among strings. Args: ids: of 33 bytes, those that occur."""
    found = [
        Leak(term, kind, one, pair)
        for term in terms
        if term.startswith(STRING) and not term.endswith("…")
        for seed in _secrets(term.removeprefix(STRING))
        for kind, one, pair in _follows(seed)
        if one in ids
    ]
    return list(dict.fromkeys(found))


def _secrets(text: str) -> Iterator[bytes]:
    """Give the secrets of 32 bytes that a string may be."""
    for value in sorted({hex_bytes(text), *spellings(text)}):
        if len(value) == ENTROPY_BYTES:
            yield value + bytes(KEY_BYTES - ENTROPY_BYTES)
        elif len(value) in (KEY_BYTES, _LONG_BYTES):
            yield value[:KEY_BYTES]


def _follows(seed: bytes) -> Iterator[tuple[str, bytes, KeyPair]]:
    """Give what kind of secret 32 bytes may be, and the id and pair that would follow."""
    ed25519, x25519 = real.ed25519_keypair(seed), real.x25519_keypair(seed)
    yield "ed25519", ACCOUNT_PREFIX + real.x25519_of_ed25519(ed25519).public, ed25519
    yield "x25519", ACCOUNT_PREFIX + x25519.public, x25519
    yield "ed25519", GROUP_PREFIX + ed25519.public, ed25519
