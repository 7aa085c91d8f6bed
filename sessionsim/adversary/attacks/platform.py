"""Platform: which client software stands at an address, from the sizes of its requests (metrics 2e).

Platforms write their requests differently, so sizes tell them apart. Each size is weighed by how often
clients of each platform send it, as learned on training seeds. Requests of one client are alike, so many of
them are counted as a few, or the posterior would be surer than it is right.

Source: metrics 2e (operating system by sizes: Coull, Dyer, ACM SIGCOMM CCR 44 (2014)).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import FIRST_STRANGER, addresses_of, requests
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """How much many equal requests count."""

    worth: float = setting(
        4.0, doc="As how many independent requests all requests of one client count at most.",
        source="Assumption: a client has a handful of kinds of requests", low=0.1, high=1000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2e; Coull, Dyer, CCR 44 (2014)")
class Platform:
    """Platform at an address, by the sizes of its requests."""

    question = Question.PLATFORM
    needs = frozenset({Need.LINKS})
    learns = True
    open_world = False

    def __init__(self, config: Config) -> None:
        self._worth = config.worth
        self._often: dict[str, Counter[int]] = {}

    def fit(self, examples: Sequence[Example]) -> None:
        """Count sizes by platform."""
        self._often = {}
        for example in examples:
            found = requests(example.view)
            names = addresses_of(example.view, found.client)
            for name, size in zip(names.tolist(), found.wire_bytes.tolist(), strict=True):
                for platform in example.labels[self.question].get(name, ()):
                    self._often.setdefault(platform, Counter())[size] += 1

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give the posterior over platforms for each address."""
        found = requests(view)
        here = found.client < FIRST_STRANGER
        clients, whose = np.unique(found.client[here], return_inverse=True)
        if not self._often or not len(clients):
            return verdict_of(self.question, ())
        platforms = sorted(self._often)
        sizes = trains_of(found.wire_bytes[here], whose, len(clients))
        prob = np.array([self._posterior(own) for own in sizes])
        n, kinds = prob.shape
        return Verdict(
            self.question,
            np.repeat(addresses_of(view, clients), kinds),
            np.tile(texts(platforms), n),
            prob.ravel(),
            prob.ravel(),
            np.full(n * kinds, kinds, dtype=np.int64),
            np.full(n * kinds, NEVER, dtype=np.int64),
        )

    def _posterior(self, sizes: np.ndarray) -> np.ndarray:
        distinct, counts = np.unique(sizes, return_counts=True)
        weight = counts / counts.sum() * min(self._worth, counts.sum())
        every = len(set().union(*self._often.values())) + 1
        logs = []
        for platform in sorted(self._often):
            often = self._often[platform]
            total = sum(often.values()) + 0.5 * every
            share = np.array([(often[size] + 0.5) / total for size in distinct.tolist()])
            logs.append(float((weight * np.log(share)).sum()))
        ratio = np.exp(np.array(logs) - max(logs))
        found: np.ndarray = ratio / ratio.sum()
        return found
