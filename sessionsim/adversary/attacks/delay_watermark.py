"""Delay watermark: requests leave the first hop in a secret rhythm that the far end looks for (metrics 2g).

The adversary lets requests of each client wait in slots of that client's own key. Whoever keeps an account
at a replica of the adversary's is then told apart by when its polls come: those of the client whose key it
is come later within marked slots than within others (`_watermark`). What the delay costs the client shows
in latency.

Source: metrics 2g; threat-model A10; after Pyun, Park, Wang, Reeves, Ning, INFOCOM 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import acts, slots_of, span_of, touched
from sessionsim.adversary.attacks._matching import Flags, Floats, matched, random_keys, times_of_accounts
from sessionsim.adversary.attacks._settings import lag_setting, name_setting
from sessionsim.adversary.attacks._watermark import watermark_scores
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Which delays are looked for."""

    interference: str = name_setting("delay")
    lag_us: int = lag_setting()


@ATTACKS.register(config=Config, source="metrics 2g; threat-model A10; Pyun et al., INFOCOM 2007")
class DelayWatermark:
    """Address of an account: of the client in whose rhythm its polls come."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = True
    acts = "delay"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: the law of an unmarked flow is known."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Score every account that asked at an operated member against every client that was delayed."""
        log = acts(view, self.acts, self._config.interference)
        begin_us, end_us = span_of(log)
        slots = slots_of(log)
        slot_us = int((log.of("slot").until_us - log.of("slot").t_us).max(initial=1))
        n = -(-(end_us - begin_us) // slot_us)
        keys = {}
        for client in touched(log):
            keys[client] = np.zeros(max(1, n), dtype=bool)
            keys[client][(slots[client].begin_us - begin_us) // slot_us] = True
        lag_us = self._config.lag_us
        times = times_of_accounts(view, (begin_us + lag_us, end_us + lag_us))

        def scores(account: str, some: Flags) -> Floats:
            t_s = (times[account] - begin_us) / US_PER_S
            return watermark_scores(t_s, some, slot_us / US_PER_S, lag_us / US_PER_S)

        def strangers(account: str, people: int) -> Floats:
            marked = round(float(np.mean([key.sum() for key in keys.values()])))
            return scores(account, random_keys(people, max(1, n), marked, rng))

        return matched(
            view, list(times), list(keys), lambda *pair: float(scores(pair[0], keys[pair[1]][None, :])[0]),
            strangers,
        )  # fmt: skip
