"""Perfect matching: all messages of a window assigned to requests at once (metrics 2b(v)).

Deciding each message alone may give two of them the same request. Here the likelihood ratio's weights of
all pairs are laid into one table per window and the likeliest one-to-one assignment is taken. It costs the
cube of the number of messages in a window, so windows are short. An assignment is a decision, not a
posterior: no probabilities are claimed.

Source: Troncoso, Gierlichs, Preneel, Verbauwhede, PETS 2008; metrics 2b(v).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS
from sessionsim.adversary.attacks._events import addresses_of, online_clients, requests, stores
from sessionsim.adversary.attacks._perfect_matching import perfect_matching
from sessionsim.adversary.attacks.likelihood_ratio import Config as RatioConfig
from sessionsim.adversary.attacks.likelihood_ratio import LikelihoodRatio
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.verdict import Guess, Verdict, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config(RatioConfig):
    """The likelihood ratio's settings, and how long a window is."""

    window: int = setting(
        200, doc="How many messages, one after another, are assigned at once.",
        source="Assumption: a table of a few hundred rows takes a few milliseconds", low=2, high=5_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Troncoso et al., PETS 2008; metrics 2b(v)")
class PerfectMatching(LikelihoodRatio):
    """Sender address of stored messages, all of a window assigned at once."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._window = config.window

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give the address of the request that each message is assigned to; none where none can be."""
        if self.learns and self._transit is None:
            return verdict_of(self.question, ())
        sent, stored = requests(view), stores(view, strangers=False)
        if not len(sent.t_us) or not len(stored.t_us):
            return verdict_of(self.question, ())
        message, request, weight = self._weights(sent, stored)
        guesses, among = list[Guess](), online_clients(view)
        for begin in range(0, len(stored.t_us), self._window):
            # Pairs come by message, so those of a window stand together.
            some = slice(*np.searchsorted(message, (begin, begin + self._window)).tolist())
            here = some.start + np.flatnonzero(weight[some] > 0)
            many = min(self._window, len(stored.t_us) - begin)
            columns, column = np.unique(request[here], return_inverse=True)
            # A message that no request explains takes one of the empty columns, at a cost above all others.
            table = np.full((many, len(columns) + many), -np.inf)
            table[message[here] - begin, column] = np.log(weight[here])
            table[:, len(columns) :] = -1e5
            chosen = perfect_matching(table)
            found = chosen < len(columns)
            clients = sent.client[columns[chosen[found]]] if len(columns) else np.zeros(0, dtype=np.int64)
            named = iter(addresses_of(view, clients).tolist())
            for k, known in enumerate(found.tolist()):
                subject, t_us = str(stored.message[begin + k]), int(stored.t_us[begin + k])
                candidate, score = (next(named), 1.0) if known else ("", 0.0)
                guesses.append(Guess(subject, candidate, score, float("nan"), max(among, 1), t_us))
        return verdict_of(self.question, guesses)
