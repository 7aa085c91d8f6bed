"""Coalition compromise: an account's address where one party is its guard and a member of its swarm (2a).

The swarm member knows the account, the guard the address, and the answer that the one seals reaches the other
byte for byte (transport 3.8): then both are one person's, for certain. So nothing is guessed: the verdict is
what the coalition has deduced, and silence about every other account whose mail it holds. What share of
accounts has a bad guard, a bad replica, or both, is hypergeometric in how many nodes are bad; that is
`coverage-of-many` for thousands of accounts, and this attack shows that the bytes bear it out.

Source: metrics 2a (the linking event for S6), 2i (coalition of first hop and contacted replica); transport
3.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import online_clients, retrieves
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.verdict import Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing to set."""


@ATTACKS.register(config=Config, source="metrics 2a, 2i; threat-model 4")
class CoalitionCompromise:
    """Address of an account, where a guard and a member of its swarm are of one coalition."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: what is certain needs no examples."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Name the addresses that acted for each account seen; nothing where none is known to have."""
        known: dict[str, dict[str, int]] = {
            name: {} for name in np.unique(retrieves(view).account.astype(str))
        }
        for fact in ledger:
            if fact.relation is Relation.ACTS_FOR and fact.subject.startswith("addr:"):
                since = known.setdefault(fact.object, {})
                since[fact.subject] = min(fact.t_us, since.get(fact.subject, fact.t_us))
        online = online_clients(view)
        guesses = []
        for account, addresses in sorted(known.items()):
            among = max(online, len(addresses))
            if not addresses:
                guesses.append(Guess(account, "", 0.0, 0.0, among))
            for address, t_us in sorted(addresses.items()):
                guesses.append(Guess(account, address, 1.0, 1 / len(addresses), among, t_us))
        return verdict_of(self.question, guesses)
