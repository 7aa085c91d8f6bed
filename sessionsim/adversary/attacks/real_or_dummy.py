"""Real or dummy: does this request on a link carry a message, or is it there for show (metrics 1.1, S11)?

The game of sender unobservability: somebody sends, or does not. The observer has learned, on training seeds
under the same defence, how requests that carried messages looked; each request gets the share of messages
among those that looked most like it. Without a defence polls are what messages hide among.

Source: metrics 1.1 (sender unobservability), 2e (features per burst, k-NN), section 8 (trap 9: an attacker
retrains on defended traffic).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import requests
from sessionsim.adversary.attacks._learned_looks import examples_setting, gaps_setting, learned_looks
from sessionsim.adversary.attacks._looks import looks, simulated
from sessionsim.adversary.attacks._neighbours import Neighbours
from sessionsim.core.ledger import Fact
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

_MESSAGE: Final = "kind:message"
_OTHER: Final = ""


@dataclass(frozen=True, slots=True)
class Config:
    """What it looks at."""

    gaps: bool = gaps_setting()
    examples: int = examples_setting("requests")


@ATTACKS.register(config=Config, source="metrics 1.1, 2e; Coull, Dyer, CCR 44 (2014)")
class RealOrDummy:
    """Whether each request on a link carries a message, by nearest neighbours."""

    question = Question.REAL_OR_DUMMY
    needs = frozenset({Need.LINKS})
    learns = True
    open_world = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: Neighbours | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn how requests that carry messages look, and how others do."""
        config = self._config
        self._known = learned_looks(
            examples,
            self.question,
            config.gaps,
            config.examples,
            lambda kinds: _MESSAGE if _MESSAGE in kinds else _OTHER,
        )

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give, for each request, the probability that it carries a message."""
        found = simulated(requests(view))
        known = self._known
        if known is None or _MESSAGE not in known.classes or not len(found.t_us):
            return verdict_of(self.question, ())
        prob = known.posterior(looks(view, found, self._config.gaps))[:, known.classes.index(_MESSAGE)]
        n = len(prob)
        return Verdict(
            self.question,
            texts([f"row:{row}" for row in found.row.tolist()]),
            texts([_MESSAGE] * n),
            prob,
            prob,
            np.ones(n, dtype=np.int64),
            np.full(n, NEVER, dtype=np.int64),
        )
