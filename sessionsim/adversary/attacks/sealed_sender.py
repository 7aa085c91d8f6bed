"""Sealed-sender scoring: whose inbox is written to right after another's (metrics 2c).

After a message to the target its partner's inbox fills: with the sync copy, a receipt, a typing signal, a
reply. For each account the epochs after stores into its inbox in which another inbox was written to are
counted, less as many epochs at other moments. Swarm members see all it takes; no address is needed.

Source: Martiny, Kaptchuk, Aviv, Roche, Wilson, Improving Signal's Sealed Sender, NDSS 2021; metrics 2c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._claims import Claims, learn_from
from sessionsim.adversary.attacks._events import stores
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._sealed_sender import sealed_sender_scores
from sessionsim.adversary.attacks._trains import rows_of
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """How long an epoch is."""

    epoch_us: int = setting(
        2 * US_PER_S, unit="us", doc="How long after a message to the target an epoch lasts.",
        source="metrics 2c: 1 s to 10 s", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per account.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Martiny et al., NDSS 2021; metrics 2c")
class SealedSender:
    """Contacts among accounts by epochs after the target's messages."""

    question = Question.CONTACT
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = True
    open_world = True

    def __init__(self, config: Config) -> None:
        self._epoch_s, self._keep = config.epoch_us / US_PER_S, config.keep
        self._claims: Claims | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn what scores are worth."""
        self._claims = None
        judged = [
            (
                self._verdict(one.view, np.random.Generator(np.random.Philox(k))),
                dict(one.labels[self.question]),
            )
            for k, one in enumerate(examples)
        ]
        self._claims = learn_from(judged)

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the others for each account whose inbox was seen."""
        return self._verdict(view, rng)

    def _verdict(self, view: View, rng: np.random.Generator) -> Verdict:
        stored = stores(view)
        asked = np.unique(stores(view, strangers=False).inbox.astype(str))
        if not len(stored.t_us) or not len(asked):
            return verdict_of(self.question, ())
        names, inbox = np.unique(stored.inbox.astype(str), return_inverse=True)
        when = stored.t_us / US_PER_S
        scores = np.zeros((len(asked), len(names)))
        its = rows_of(inbox, len(names))
        for row, target in enumerate(np.searchsorted(names, asked).tolist()):
            mine = when[its[target]]
            # Epochs elsewhere: as many, at random moments of the watch.
            other = np.sort(rng.uniform(when[0], when[-1] + self._epoch_s, len(mine)))
            # Half an epoch before and after: the partner's sync copy may come a little earlier.
            found = sealed_sender_scores(
                inbox, when, mine - self._epoch_s / 2, other - self._epoch_s / 2, self._epoch_s, len(names)
            )
            scores[row] = found / len(mine)
        return ranking(
            self.question, texts(asked.tolist()), texts(names.tolist()), scores, self._keep,
            claims=self._claims,
        )  # fmt: skip
