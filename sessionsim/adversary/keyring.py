"""The secrets that observers hold, numbered, and found by the public keys that layers name.

One `Keys` may stand for all observers of a run: it finds keys for opening, and `held` says which of them one
observer has, and since when. An Ed25519 secret also gives its X25519 secret, by the known conversion, and so
does a seed of version 2, beside an ML-KEM secret (`account_seeds`).
Secrets that come out of opened messages, such as the key of a group, are numbered behind those that are held
(`learn`); nobody holds them from the start, and `closure` finds out who gets them and when.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.core.scene import Role
from sessionsim.core.view import HeldKey
from sessionsim.protocol.crypto import KeyPair, real
from sessionsim.protocol.identity import ACCOUNT_PREFIX, Account
from sessionsim.protocol.v2.keys import ACCOUNT_DOMAIN, DEVICE_DOMAIN, expand

ACCOUNT_SEED: Final = "account seed"  # as `core.truth` names the kinds of keys
DEVICE_SEED: Final = "device seed"
_DOMAINS: Final = {ACCOUNT_SEED: ACCOUNT_DOMAIN, DEVICE_SEED: DEVICE_DOMAIN}
NEVER: Final = int(np.iinfo(np.int64).max)
NO_KEY: Final = -1
ACCOUNT_OWNER: Final = "account:"  # begins the owner of an account's keys
ROLE_BIT: Final = {role: 1 << place for place, role in enumerate(Role)}

Times = npt.NDArray[np.int64]


class Held(NamedTuple):
    """What one observer has of the keys. Both of shape (n_keys,).

    Args:
        since_us: since when, NEVER for a key it has not.
        roles: sum of the ROLE_BITs of the roles in which it may be used; 0 for any.
    """

    since_us: Times
    roles: npt.NDArray[np.int64]


class Keys:
    """X25519 secrets by number. Args: keys: those of all observers concerned."""

    def __init__(self, keys: Iterable[HeldKey]) -> None:
        self.pairs: list[KeyPair] = []
        self.owners: list[str] = []
        self.seeds: dict[int, bytes] = {}  # seeds of accounts' keys of version 2
        self.device_seeds: dict[int, bytes] = {}  # and of devices' own keys
        self._ed25519: dict[int, KeyPair] = {}
        self._number: dict[bytes, int] = {}  # X25519 public key -> number
        self._converted: dict[bytes, int] = {}  # Ed25519 public key -> number
        self._learned: dict[tuple[str, bytes], int] = {}  # owner, secret -> number
        for key in keys:
            self._add(key)

    def __len__(self) -> int:
        return len(self.pairs)

    def _add(self, key: HeldKey) -> None:
        pair = KeyPair(key.public, key.secret)
        if key.kind == "ed25519":
            if key.public in self._converted:
                return
            converted = real.x25519_of_ed25519(pair)
            number = self._converted[key.public] = self._place(converted, key.owner)
            self._ed25519[number] = pair
        elif key.kind in _DOMAINS:
            x_secret, _kem_seed = expand(_DOMAINS[key.kind], key.secret)
            number = self._place(KeyPair(key.public, x_secret), key.owner)
            (self.seeds if key.kind == ACCOUNT_SEED else self.device_seeds)[number] = key.secret
        else:
            self._place(pair, key.owner)

    def _place(self, pair: KeyPair, owner: str) -> int:
        number = self._number.setdefault(pair.public, len(self.pairs))
        if number == len(self.pairs):
            self.pairs.append(pair)
            self.owners.append(owner)
        return number

    def learn(self, owner: str, secret: bytes) -> int:
        """Give the number of a secret that was found in a message; the same for the same one again.

        Args:
            owner: what it is, in words, for example `key 0 of group:03…`.
        """
        number = self._learned.setdefault((owner, secret), len(self.pairs))
        if number == len(self.pairs):
            self.pairs.append(KeyPair(b"", secret))
            self.owners.append(owner)
        return number

    def learn_seed(self, owner: str, seed: bytes) -> int:
        """Give the number of a seed of an account's keys that was found in a message, as `learn`."""
        pair = real.x25519_keypair(expand(ACCOUNT_DOMAIN, seed)[0])
        number = self._place(pair, owner)
        self.seeds[number] = seed
        return number

    def accounts(self) -> list[tuple[int, Account]]:
        """Give the accounts whose Ed25519 secret somebody holds, each with the number of its secret."""
        return [
            (number, Account(ed25519, self.pairs[number], ACCOUNT_PREFIX + self.pairs[number].public))
            for number, ed25519 in self._ed25519.items()
            if self.owners[number].startswith(ACCOUNT_OWNER)
        ]

    def find(self, public: bytes) -> int:
        """Give the number of the secret of an X25519 public key; NO_KEY if nobody has it."""
        return self._number.get(public, NO_KEY)

    def account(self, account_id: bytes) -> Account | None:
        """Give the account of an id, if its X25519 secret is held."""
        number = self.find(account_id[1:])
        if number < 0:
            return None
        ed25519 = self._ed25519.get(number, KeyPair(b"", b""))
        return Account(ed25519, self.pairs[number], ACCOUNT_PREFIX + account_id[1:])

    def held(self, keys: Iterable[HeldKey]) -> Held:
        """Say which of the keys one observer holds, and since when; of two ways the earlier one counts."""
        since_us = np.full(len(self.pairs), NEVER, np.int64)
        roles = np.zeros(len(self.pairs), np.int64)
        for key in keys:
            number = self._converted[key.public] if key.kind == "ed25519" else self._number[key.public]
            if key.since_us < since_us[number]:
                since_us[number] = key.since_us
                roles[number] = sum(ROLE_BIT[role] for role in key.roles)
        return Held(since_us, roles)
