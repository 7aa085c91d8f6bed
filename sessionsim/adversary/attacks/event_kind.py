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
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import requests
from sessionsim.adversary.attacks._looks import looks, simulated
from sessionsim.adversary.attacks._neighbours import Neighbours
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """What it looks at."""

    gaps: bool = setting(
        True, doc="Whether gaps between requests are looked at, or sizes alone.",
        source="metrics 2e: sizes, count, gap, symmetric pair",
    )  # fmt: skip
    examples: int = setting(
        50_000, doc="How many training requests are kept at most, evenly spread over the run.",
        source="Assumption: more change nothing and take memory", low=10, high=10_000_000,
    )  # fmt: skip


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
        points, labels = list[Floats](), list[str]()
        for example in examples:
            kinds = example.labels[self.question]
            found = simulated(requests(example.view))
            for row, point in zip(
                found.row.tolist(), looks(example.view, found, self._config.gaps), strict=True
            ):
                if f"row:{row}" in kinds:
                    points.append(point)
                    labels.append(kinds[f"row:{row}"][0])
        step = max(1, len(points) // self._config.examples)
        self._known = Neighbours(points[::step], labels[::step]) if points else None

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
