"""Opening messages of version 2 with the seeds of accounts' keys that observers hold.

A message says with two hidden bytes under which key it is, for whoever holds the account's lasting key, so
only seeds are tried whose keys begin so. Whoever holds a seed and not the lasting key could try them all, so
the seed alone is what counts as needed. Where none fits, the lasting key opens what was sent for want of keys
(protocol-v2 7.3, 7.4). Expansion is dear and done once for each seed, when the first message comes.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from sessionsim.adversary.keyring import Keys
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2 import HybridKeys, account_keys, open_message
from sessionsim.protocol.v2.inner import Inner
from sessionsim.protocol.v2.marked_fallback import is_marked, open_marked
from sessionsim.protocol.v2.receiving import indicator_of


class Under(NamedTuple):
    """An opened message. Args: key: number of the secret that opened it; inner: what it holds."""

    key: int
    inner: Inner


class AccountSeeds:
    """The seeds among the keys of observers. Args: suite: cryptography; keys: their secrets."""

    def __init__(self, suite: Suite, keys: Keys) -> None:
        self._suite, self._keys = suite, keys

    @cached_property
    def _beginning(self) -> dict[bytes, list[tuple[int, HybridKeys]]]:
        found: dict[bytes, list[tuple[int, HybridKeys]]] = {}
        for number, seed in self._keys.seeds.items():
            keys = account_keys(self._suite, seed)
            found.setdefault(keys.kem.public[:2], []).append((number, keys))
        return found

    def long_term(self, account: Account) -> int:
        """Give the number of an account's lasting secret."""
        return self._keys.find(account.x.public)

    def open(self, account: Account, stored: bytes) -> Under:
        """Open a stored message of version 2.

        Args:
            account: whose inbox it lies in, with its X25519 secret.

        Raises:
            ProtocolError: no key that is held opens it, or it is none.
        """
        if is_marked(stored):
            return Under(self.long_term(account), open_marked(self._suite, account, stored).inner)
        two = indicator_of(self._suite, account, stored)
        fitting = self._beginning.get(two, [])
        opened = open_message(self._suite, account, [keys for _, keys in fitting], stored)
        if opened.key is None:
            return Under(self.long_term(account), opened.inner)
        return Under(fitting[opened.key][0], opened.inner)
