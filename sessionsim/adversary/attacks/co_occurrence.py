"""Co-occurrence: inboxes that fill at the same moments belong to people who talk (metrics 2d(4)).

A message to Bob makes a store in Bob's inbox and, a moment later, a sync copy in Alice's. Who runs a member
of each swarm sees both, without any address. For each pair of inboxes the number of moments at which both
were written to is held against what two independent inboxes would show; with one test per pair the p-values
are corrected for false discoveries, and only what stands the correction is claimed.

Source: metrics 2d(4), 2b (chance of equal sizes); Benjamini, Hochberg, JRSS B 1995.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._coincidences import (
    Floats,
    Ints,
    chance_of,
    false_discovery_rates,
    near_pairs,
    pair_counts,
)
from sessionsim.adversary.attacks._events import stores
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import ALARM, NEVER, Example, Question, Texts, Verdict, texts, verdict_of
from sessionsim.core.view import View

_TWO: Final = 2  # inboxes make a pair
_BELOW_ALARM: Final = ALARM - 0.01  # most that a pair claims which does not stand the correction


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as one moment, and how many false findings are allowed."""

    window_us: int = setting(
        2 * US_PER_S, unit="us", doc="How far apart two stores of one moment are at most.",
        source="Assumption: message and sync copy leave one after the other", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    level: float = setting(
        0.05, doc="Share of false ones among the pairs claimed, on average.",
        source="metrics 2d(4): Benjamini-Hochberg", low=1e-6, high=0.5,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2d(4); Benjamini, Hochberg, JRSS B 1995")
class CoOccurrence:
    """Contacts among accounts by stores at the same moments."""

    question = Question.CONTACT
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = True

    def __init__(self, config: Config) -> None:
        self._window_s, self._level = config.window_us / US_PER_S, config.level

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: the law of chance is known."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Test every pair of an account that is asked about with any other; list those among the asked."""
        stored = stores(view)
        names, number = np.unique(stored.inbox.astype(str), return_inverse=True)
        asked = np.unique(stores(view, strangers=False).inbox.astype(str))
        if len(names) < _TWO or not len(asked):
            return verdict_of(self.question, ())
        inbox, when = number.astype(np.int64), stored.t_us / US_PER_S
        place = np.full(len(names), -1)
        place[np.searchsorted(names, asked)] = np.arange(len(asked))
        mine = np.flatnonzero(place[inbox] >= 0).astype(np.int64)
        one, other, counts = pair_counts(inbox, *self._near(when, mine, stored.size_bytes), len(names))
        often = np.bincount(inbox)
        horizon = max(float(np.ptp(when)), self._window_s)
        alike = self._alike(stored.size_bytes)
        expected = often[one] * often[other] / horizon * 2 * self._window_s * alike
        rates = false_discovery_rates(chance_of(counts, expected), len(asked) * (len(names) - 1))
        table = np.ones((len(asked), len(asked)))
        both = place[other] >= 0
        table[place[one[both]], place[other[both]]] = rates[both]
        return self._verdict(texts(asked.tolist()), table, len(names))

    def _near(self, when: Floats, of: Ints, size: Ints) -> tuple[Ints, Ints]:
        """Which pairs of stores are of one moment; sizes do not matter here."""
        return near_pairs(when, of, self._window_s)

    def _alike(self, size: Ints) -> float:
        """Share of unrelated pairs of stores that would pass for a pair, were they of one moment."""
        return 1.0

    def _verdict(self, asked: Texts, table: Floats, accounts: int) -> Verdict:
        """Claim what stands the correction. Args: table: false-discovery rates, shape (asked, asked)."""
        rows, columns = np.nonzero(~np.eye(len(asked), dtype=bool))
        rate = table[rows, columns]
        prob = np.where(rate <= self._level, 1 - rate, np.minimum(1 - rate, _BELOW_ALARM))
        return Verdict(
            self.question,
            asked[rows],
            asked[columns],
            -np.log(np.maximum(rate, 1e-300)),
            prob,
            np.full(len(rows), accounts - 1, dtype=np.int64),
            np.full(len(rows), NEVER, dtype=np.int64),
        )
