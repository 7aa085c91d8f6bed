"""Intersection: the inbox that is written to every time an address sends (metrics 2c).

A client puts a sync copy of every message into its own inbox. So whenever an address sends, the inbox of
its own account is among those written to shortly after; a contact's inbox only when that contact is meant.
Keeping only the inboxes that always were leaves the account behind the address, or nothing if its swarm is
out of sight. Exact and merciless: one sync copy that comes too late loses it for good.

Source: Kesdogan, Agrawal, Penz, Limits of Anonymity in Open Environments, IH 2002; metrics 2c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._event_trains import merged
from sessionsim.adversary.attacks._events import FIRST_STRANGER, addresses_of, stores
from sessionsim.adversary.attacks._flows import learn_spoken, speaking
from sessionsim.adversary.attacks._intersection import intersection
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import NEVER, Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """What an epoch is."""

    epoch_us: int = setting(
        5 * US_PER_S, unit="us", doc="How long after a request a sync copy may be stored.",
        source="Assumption: a few onion requests one after another", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    gap_us: int = setting(
        1_500_000, unit="us", doc="Requests of one client so close belong to one message.",
        source="Assumption: a message and its sync copy leave one after the other", low=0, high=600 *
        US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many candidates a verdict lists per address.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Kesdogan, Agrawal, Penz, IH 2002; metrics 2c")
class Intersection:
    """Account behind an address: whoever was written to every time it sent."""

    question = Question.ACCOUNT_OF
    needs = frozenset({Need.LINKS, Need.NODES, Need.BYTES})
    learns = True
    open_world = True

    def __init__(self, config: Config) -> None:
        self._epoch_us, self._gap_s, self._keep = config.epoch_us, config.gap_us / US_PER_S, config.keep
        self._spoken: frozenset[int] | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn which sizes on links carry messages."""
        self._spoken = learn_spoken(examples) if examples else None

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give, for each address that sent, the inboxes that are left after its last message."""
        sent, stored = speaking(view, self._spoken), stores(view)
        if not len(sent.t_us) or not len(stored.t_us):
            return verdict_of(self.question, ())
        names, inbox = np.unique(stored.inbox.astype(str), return_inverse=True)
        people = view.background.get("people")
        among = max(len(names), 0 if people is None else int(people["accounts"][0]))
        here = sent.client < FIRST_STRANGER
        clients, whose = np.unique(sent.client[here], return_inverse=True)
        trains = trains_of(sent.t_us[here], whose, len(clients))
        guesses: list[Guess] = []
        for subject, t_us in zip(addresses_of(view, clients).tolist(), trains, strict=True):
            times_s = t_us / US_PER_S
            begin_s = merged(times_s, np.ones(len(times_s)), self._gap_s)[0]
            guesses += self._left(subject, begin_s, stored.t_us, inbox, names, among)
        return verdict_of(self.question, guesses)

    def _left(
        self, subject: str, begin_s: np.ndarray, t_us: np.ndarray, inbox: np.ndarray, names: np.ndarray,
        among: int,
    ) -> list[Guess]:  # fmt: skip
        begins = (begin_s * US_PER_S).astype(np.int64)
        first, last = (np.searchsorted(t_us, begins + late, "left") for late in (0, self._epoch_us))
        epochs = [inbox[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        left = intersection(epochs)
        final = left[-1] if left else np.zeros(0, dtype=np.int64)
        if not len(final):
            return [Guess(subject, "", 0.0, 0.0, among)]
        alone = next((k for k, remaining in enumerate(left) if len(remaining) == 1), None)
        since = NEVER if alone is None else int(begins[alone]) + self._epoch_us
        share = 1 / len(final)
        return [
            Guess(subject, str(names[k]), share, share, among, since) for k in final[: self._keep].tolist()
        ]
