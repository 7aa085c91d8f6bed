"""Event kind: what a request on a link is for, from its size, that of its answer, and the gap before (2e).

An internet provider opens nothing, but requests of one kind have few sizes and answers of their own. It has
learned, on training seeds, what requests of this look were for.

Source: metrics 2e (features per burst, k-NN); Coull, Dyer, Traffic Analysis of Encrypted Messaging Services,
ACM SIGCOMM CCR 44 (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import requests
from sessionsim.adversary.attacks._learned_looks import examples_setting, gaps_setting, learned_looks
from sessionsim.adversary.attacks._looks import looks, simulated
from sessionsim.adversary.attacks._neighbours import Neighbours
from sessionsim.core.ledger import Fact
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """What it looks at."""

    gaps: bool = gaps_setting()
    examples: int = examples_setting("requests")


@ATTACKS.register(config=Config, source="metrics 2e; Coull, Dyer, CCR 44 (2014)")
class EventKind:
    """Purpose of each request on a link, by nearest neighbours in size, answer and gap."""

    question = Question.EVENT_KIND
    needs = frozenset({Need.LINKS})
    learns = True
    open_world = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: Neighbours | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn what requests of each look were for."""
        config = self._config
        self._known = learned_looks(
            examples, self.question, config.gaps, config.examples, lambda kinds: kinds[0]
        )

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give the posterior over kinds for each request."""
        found = simulated(requests(view))
        if self._known is None or not len(found.t_us):
            return verdict_of(self.question, ())
        posterior = self._known.posterior(looks(view, found, self._config.gaps))
        n, kinds = posterior.shape
        return Verdict(
            self.question,
            np.repeat(texts([f"row:{row}" for row in found.row.tolist()]), kinds),
            np.tile(texts(self._known.classes), n),
            posterior.ravel(),
            posterior.ravel(),
            np.full(n * kinds, kinds, dtype=np.int64),
            np.full(n * kinds, NEVER, dtype=np.int64),
        )
