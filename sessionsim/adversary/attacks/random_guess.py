"""The null member of the family: it names a platform for every address that it has seen.

What it scores is the floor. Every other attack is also given a blind guess of its own, over its own subjects
and candidates, by the metrics; this one stands in scenarios to show the floor by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import addresses_of, requests
from sessionsim.adversary.attacks._random_guess import random_guess
from sessionsim.core.ledger import Fact
from sessionsim.core.verdict import Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing to set."""


@ATTACKS.register(config=Config, source="metrics 0.3; style guide: every family has a null member")
class RandomGuess:
    """A blind guess which platform stands at an address."""

    question = Question.PLATFORM
    needs = frozenset({Need.LINKS})
    learns = False
    open_world = False
    _PLATFORMS = ("android", "desktop", "ios")

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Score the three platforms of each address at random, each with its fair share."""
        clients = np.unique(requests(view).client)
        if not len(clients):
            return verdict_of(self.question, ())
        n, kinds = len(clients), len(self._PLATFORMS)
        score = random_guess((n, kinds), rng)
        ones = np.ones(n * kinds, dtype=np.int64)
        return Verdict(
            self.question,
            np.repeat(addresses_of(view, clients), kinds),
            texts([f"platform:{name}" for name in self._PLATFORMS] * n),
            score.ravel(),
            np.full(n * kinds, 1 / kinds),
            kinds * ones,
            -ones,
        )
