"""Isolation, the n-1 attack: nearly everybody is held back, so what arrives is from one of few (metrics 2g).

There is no mix to flood here, so the others are not drowned in dummies but made to wait: each client's
requests go on in slots of its own key only. A message that reaches an operated replica came from a client
of which something was let through shortly before; their number is the anonymity set that is left.

Source: metrics 2g (n-1); Serjantov, Dingledine, Syverson, From a trickle to a flood, Information Hiding
2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import Ints, acts, slots_of, span_of, touched
from sessionsim.adversary.attacks._events import address_of, requests, stores
from sessionsim.adversary.attacks._settings import lag_setting, name_setting, window_setting
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_MS
from sessionsim.core.verdict import Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """When what was let through must arrive."""

    interference: str = name_setting("isolate")
    lag_us: int = lag_setting()
    window_us: int = window_setting(
        1000 * US_PER_MS, "How long after it was let through a request reaches the far end at the latest."
    )


@ATTACKS.register(config=Config, source="metrics 2g; Serjantov, Dingledine, Syverson, IH 2002")
class Isolation:
    """Address of a message's sender: one of those of whom something was let through just before."""

    question = Question.SENDER_ADDRESS
    needs = frozenset({Need.NODES, Need.BYTES, Need.LINKS})
    learns = False
    open_world = False
    acts = "isolate"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: who was held back is known."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """List, for every message stored while it went on, who can have sent it; each equally likely."""
        log = acts(view, self.acts, self._config.interference)
        begin_us, end_us = span_of(log)
        let_us = self._let_through(view)
        stored, guesses = stores(view, strangers=False), list[Guess]()
        for message, t_us in zip(stored.message.tolist(), stored.t_us.tolist(), strict=True):
            if not begin_us <= t_us - self._config.window_us < t_us < end_us:
                continue
            least_us, most_us = t_us - self._config.window_us, t_us - self._config.lag_us // 4
            possible = [
                client
                for client, times in let_us.items()
                if np.searchsorted(times, most_us) > np.searchsorted(times, least_us)
            ]
            guesses += [
                Guess(message, address_of(view, client), 1.0, 1 / len(possible), len(let_us), t_us)
                for client in possible
            ]
        return verdict_of(self.question, guesses)

    def _let_through(self, view: View) -> dict[int, Ints]:
        """Give, for each client that was held back at times, when requests of it were let through."""
        log = acts(view, self.acts, self._config.interference)
        slots, seen, held = slots_of(log), requests(view), log.of("held")
        found = {}
        for client in touched(log):
            own_us = seen.t_us[seen.client == client]
            later_us = held.until_us[held.client == client]
            found[client] = np.sort(np.concatenate([own_us[slots[client].hold(own_us)], later_us]))
        return found
