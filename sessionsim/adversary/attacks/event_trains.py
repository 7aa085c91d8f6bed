"""Event trains: which link carries the messages that a partner wrote to me (metrics 2b).

The observer is one end of a conversation, and sees other clients' links as well, as a provider does. It
knows when messages of each partner reached it. The partner's own link must have carried something each
time, shortly before; the share of messages for which a link did is compared with what its rate would do by
chance.

Source: Bahramali, Soltani, Houmansadr, Goeckel, Towsley, Practical Traffic Analysis Attacks on Secure
Messaging Applications, NDSS 2020 (event-based correlator); metrics 2b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._claims import Claims, learn_from
from sessionsim.adversary.attacks._event_trains import merged
from sessionsim.adversary.attacks._events import online_clients
from sessionsim.adversary.attacks._flows import flows_of_addresses, learn_spoken
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._trains import meetings
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """How events are made and matched."""

    reach_us: int = setting(
        10 * US_PER_S, unit="us",
        doc="How long before it reaches a device a message may have left its sender.",
        source="Assumption: two poll intervals of a desktop", low=1_000, high=3600 * US_PER_S,
    )  # fmt: skip
    gap_us: int = setting(
        1_500_000, unit="us", doc="Requests of one client so close are one event.",
        source="metrics 2b: bursts closer than a small threshold are merged", low=0, high=600 * US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per account.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Bahramali et al., NDSS 2020; metrics 2b")
class EventTrains:
    """Address of a partner by the times at which its messages arrive."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.LINKS, Need.DEVICE, Need.BYTES})
    learns = True
    open_world = True

    def __init__(self, config: Config) -> None:
        self._reach_s, self._gap_s = config.reach_us / US_PER_S, config.gap_us / US_PER_S
        self._keep = config.keep
        self._spoken: frozenset[int] | None = None
        self._claims: Claims | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn which sizes carry messages, and what scores are worth."""
        self._spoken = learn_spoken(examples) if examples else None
        self._claims = None
        judged = [(self._verdict(one.view, one.ledger), dict(one.labels[self.question])) for one in examples]
        self._claims = learn_from(judged)

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the addresses for each account that wrote to the observer's device."""
        return self._verdict(view, ledger)

    def _verdict(self, view: View, ledger: Sequence[Fact]) -> Verdict:
        trains = received_from(ledger)
        addresses = flows_of_addresses(view, self._spoken)
        if not trains or not len(addresses.names):
            return verdict_of(self.question, ())
        links = [merged(times, np.ones(len(times)), self._gap_s)[0] for times in addresses.times_s]
        span_s = max(float(np.ptp(np.concatenate(addresses.times_s))), 1.0)
        events, many = (np.array([len(one) for one in all_of]) for all_of in (links, list(trains.values())))
        # By chance a link has an event within reach of a moment at its own rate.
        chance = 1 - np.exp(-events / span_s * self._reach_s)
        sent_us = np.rint(np.concatenate(links) * US_PER_S).astype(np.int64)
        order = np.argsort(sent_us, kind="stable")
        carried = (sent_us[order], np.repeat(np.arange(len(links)), events)[order], len(links))
        came_us = np.rint(np.concatenate(list(trains.values())) * US_PER_S).astype(np.int64)
        came = (came_us, np.repeat(np.arange(len(trains)), many), len(trains))
        met = meetings(came, carried, -round(self._reach_s * US_PER_S), 1) / many[:, None]
        scores = (met - chance) * np.sqrt(many)[:, None] / np.sqrt(chance * (1 - chance) + 0.01)
        return ranking(
            self.question, texts(list(trains)), addresses.names, scores, self._keep,
            among=online_clients(view), claims=self._claims,
        )  # fmt: skip


def received_from(ledger: Sequence[Fact]) -> dict[str, Floats]:
    """Give, per account that wrote messages the observer could open, when it knew of each, s, ascending."""
    found: dict[str, list[float]] = {}
    own = {fact.object for fact in ledger if fact.relation is Relation.ACTS_FOR}
    for fact in ledger:
        if fact.relation is Relation.WRITTEN_BY and any("opens" in step for step in fact.derivation):
            found.setdefault(fact.object, []).append(fact.t_us / US_PER_S)
    return {name: np.sort(times) for name, times in sorted(found.items()) if name not in own or len(own) > 1}
