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
        """Test every pair of inboxes; list those of accounts that were asked about."""
        stored = stores(view)
        asked = set(stores(view, strangers=False).inbox.tolist())
        names, number = np.unique(stored.inbox.astype(str), return_inverse=True)
        if len(names) < 2:
            return verdict_of(self.question, ())
        inbox, when = number.astype(np.int64), stored.t_us / US_PER_S
        low, high, counts = pair_counts(inbox, *self._near(when, stored.size_bytes), len(names))
        often = np.bincount(inbox)
        horizon = max(float(np.ptp(when)), self._window_s)
        expected = often[low] * often[high] / horizon * 2 * self._window_s * self._alike(stored.size_bytes)
        rates = false_discovery_rates(chance_of(counts, expected), len(names) * (len(names) - 1) // 2)
        return self._verdict(texts(names.tolist()), asked, low, high, rates)

    def _near(self, when: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which pairs of stores are of one moment; sizes do not matter here."""
        return near_pairs(when, self._window_s)

    def _alike(self, size: np.ndarray) -> float:
        """Share of unrelated pairs of stores that would pass for a pair, were they of one moment."""
        return 1.0

    def _verdict(
        self, names: Texts, asked: set[str], low: np.ndarray, high: np.ndarray, rates: np.ndarray
    ) -> Verdict:
        # Both directions of a pair, each account with all others that were asked about.
        wanted = np.flatnonzero(np.isin(names.astype(str), sorted(asked)))
        place = np.full(len(names), -1)
        place[wanted] = np.arange(len(wanted))
        table = np.ones((len(wanted), len(wanted)))
        both = (place[low] >= 0) & (place[high] >= 0)
        a, b = place[low[both]], place[high[both]]
        table[a, b] = table[b, a] = rates[both]
        rows, columns = np.nonzero(~np.eye(len(wanted), dtype=bool))
        rate = table[rows, columns]
        prob = np.where(rate <= self._level, 1 - rate, np.minimum(1 - rate, _BELOW_ALARM))
        return Verdict(
            self.question,
            names[wanted[rows]],
            names[wanted[columns]],
            -np.log(np.maximum(rate, 1e-300)),
            prob,
            np.full(len(rows), max(1, len(names) - 1), dtype=np.int64),
            np.full(len(rows), NEVER, dtype=np.int64),
        )
