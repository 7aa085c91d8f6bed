"""Predecessor: the address that stands before a guard of the coalition each time an account is served (2a).

Whenever a member of the coalition serves an account's owner, the addresses whose requests reached one of the
coalition's guards shortly before are noted. The owner is noted each time a path through such a guard is used,
others only by chance; what is noted more often than chance has it is the owner. Where paths change, evidence
comes from many of them; where guards stay, from one, or never. Times within a window are all it uses: the
likelihood ratio (`poll-timing`) weighs them, and is stronger.

Source: Wright, Adler, Levine, Shields, The Predecessor Attack, ACM TISSEC 7 (2004); metrics 2a.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import addresses_of, online_clients, requests, retrieves
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._trains import meetings
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as shortly before."""

    window_us: int = setting(
        US_PER_S, unit="us", doc="How long before an owner is served a request may have passed a guard.",
        source="Assumption: an onion request's way to its last node", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per account.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Wright et al., ACM TISSEC 7 (2004); metrics 2a")
class Predecessor:
    """Address of an account by who stands before operated guards when it is served."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.LINKS, Need.NODES, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._window_us, self._keep = config.window_us, config.keep

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: what is counted is held against its own rate."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the addresses of each account by how much oftener than chance they were noted."""
        sent, seen = requests(view), retrieves(view)
        if not len(sent.t_us) or not len(seen.t_us):
            return verdict_of(self.question, ())
        clients, number = np.unique(sent.client, return_inverse=True)
        accounts, whose = np.unique(seen.account.astype(str), return_inverse=True)
        span_us = max(int(np.ptp(sent.t_us)), self._window_us)
        chance = np.minimum(np.bincount(number) * self._window_us / span_us, 1.0)[None, :]
        # Each request of an owner notes an address once, however often it was about.
        served = (seen.t_us, whose, len(accounts))
        noted = meetings(served, (sent.t_us, number, len(clients)), -self._window_us, 0)
        expected = np.bincount(whose)[:, None] * chance
        scores = (noted - expected) / np.sqrt(expected * (1 - chance) + 0.25)
        return ranking(
            self.question, texts(accounts.tolist()), addresses_of(view, clients), scores, self._keep,
            among=online_clients(view),
        )  # fmt: skip
