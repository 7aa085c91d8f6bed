"""Likelihood ratio: which watched address did this stored message come from (metrics 2b(iii))?

The observer sees client links (an internet provider, or guards of its own) and swarm members. For a message
stored at one of its members it weighs every request on a watched link before it by the density of the delay
and, if wished, by how well the two sizes go together; weights of one client add up. Messages of clients it
does not watch compete too, at the rate that its share of the network implies.

The law of the delay is learned from training seeds, or given: with the given one the attack is the optimal
observer of times alone, whose entropies metrics 1.3 tells.

Source: Danezis, The Traffic Analysis of Continuous-Time Mixes, PET 2004; metrics 1.3, 2b(iii).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import (
    Requests,
    Stores,
    addresses_of,
    online_clients,
    requests,
    stores,
)
from sessionsim.adversary.attacks._likelihood_ratio import (
    LogDensity,
    erlang_log_density,
    normal_log_density,
)
from sessionsim.adversary.attacks._posterior import posterior_verdict
from sessionsim.adversary.attacks._transit import Floats, Ints, Transit, learn_transit
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict, verdict_of
from sessionsim.core.view import View

_WIDE = 8.0  # Assumption: so many deviations hold all but a billionth of any delay that occurs


@dataclass(frozen=True, slots=True)
class Config:
    """How delays and sizes are weighed."""

    law: str = setting(
        "learned",
        doc="Law of the delay from link to swarm member: learned from training seeds, Erlang or normal.",
        source="metrics 1.3 (Erlang, Gaussian), 2b(iii)",
        choices=("learned", "erlang", "normal"),
    )
    hops: int = setting(
        3, doc="How many exponential delays an Erlang law adds up.", source="metrics 1.3", low=1, high=100
    )
    delay_us: int = setting(
        US_PER_S, unit="us", doc="Mean of one of the Erlang law's delays, or of the normal law.",
        source="Assumption: a second", low=1, high=3600 * US_PER_S,
    )  # fmt: skip
    deviation_us: int = setting(
        50_000, unit="us", doc="Standard deviation of the normal law.",
        source="metrics 1.3: ordinary jitter of 50 ms", low=1, high=3600 * US_PER_S,
    )  # fmt: skip
    sizes: bool = setting(
        True,
        doc="Whether sizes are weighed too; needs training seeds.",
        source="Assumption: an observer uses what it sees",
    )
    keep: int = setting(
        200, doc="How many of the likeliest candidates a verdict lists per message.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Danezis, PET 2004; metrics 1.3, 2b(iii)")
class LikelihoodRatio:
    """Sender address of a stored message, by the law of the delay and by sizes."""

    question = Question.SENDER_ADDRESS
    needs = frozenset({Need.LINKS, Need.NODES, Need.BYTES})
    open_world = True

    def __init__(self, config: Config) -> None:
        self._config = config
        self._transit: Transit | None = None

    @property
    def learns(self) -> bool:
        return self._config.law == "learned" or self._config.sizes

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn delays, sizes and the watched share."""
        self._transit = learn_transit(examples) if self.learns else None

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give, for each message stored at an operated member, the posterior over watched addresses."""
        if self.learns and self._transit is None:
            return verdict_of(self.question, ())
        sent, stored = requests(view), stores(view, strangers=False)
        if not len(sent.t_us) or not len(stored.t_us):
            return verdict_of(self.question, ())
        message, request, weight = self._weights(sent, stored)
        clients, number = np.unique(sent.client, return_inverse=True)
        return posterior_verdict(
            self.question,
            stored.message,
            stored.t_us,
            addresses_of(view, clients),
            (message, number[request].astype(np.int64), weight),
            self._unseen(sent, len(stored.t_us)),
            online_clients(view),
            self._config.keep,
        )

    def _weights(self, sent: Requests, stored: Stores) -> tuple[Ints, Ints, Floats]:
        """Pair each message with the requests that can have carried it, and weigh the pairs."""
        carries = self._transit.carries(sent.wire_bytes) if self._transit else np.ones(len(sent.t_us))
        able = np.flatnonzero(carries > 0)
        when, seen = sent.t_us[able] / US_PER_S, stored.t_us / US_PER_S
        first = np.searchsorted(when, seen - self._longest_s(), "left")
        many = np.maximum(np.searchsorted(when, seen, "right") - first, 0)
        message = np.repeat(np.arange(len(seen)), many)
        request = (
            np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)
        )
        delay = seen[message] - when[request]
        weight = np.zeros(len(delay))
        for direct in (True, False):
            here = stored.direct[message] == direct
            weight[here] = np.exp(self._law(direct)(delay[here]))
        if self._transit is not None:
            wire = sent.wire_bytes[able[request]]
            weight *= carries[able[request]]
            if self._config.sizes:
                weight *= self._transit.size_ratio(stored.size_bytes[message], wire)
        return message.astype(np.int64), able[request].astype(np.int64), weight

    def _law(self, direct: bool) -> LogDensity:
        config = self._config
        if config.law == "erlang":
            return erlang_log_density(config.hops, US_PER_S / config.delay_us)
        if config.law == "normal":
            return normal_log_density(config.delay_us / US_PER_S, config.deviation_us / US_PER_S)
        assert self._transit is not None
        return self._transit.direct if direct else self._transit.forwarded

    def _longest_s(self) -> float:
        """Longest delay considered; beyond it a law has next to nothing."""
        config = self._config
        if config.law == "erlang":
            return (config.hops + _WIDE * math.sqrt(config.hops) + _WIDE) * config.delay_us / US_PER_S
        if config.law == "normal":
            return (config.delay_us + _WIDE * config.deviation_us) / US_PER_S
        assert self._transit is not None
        return max(self._transit.direct.longest_s, self._transit.forwarded.longest_s)

    def _unseen(self, sent: Requests, messages: int) -> Floats:
        """Rate, per second, of messages that come from clients whose links are not watched."""
        if self._transit is None or len(sent.t_us) < 2:
            return np.zeros(messages)
        span = (sent.t_us[-1] - sent.t_us[0]) / US_PER_S
        watched = float(self._transit.carries(sent.wire_bytes).sum()) / max(span, 1.0)
        coverage = min(max(self._transit.coverage, 0.01), 1.0)
        return np.full(messages, watched * (1 - coverage) / coverage)
