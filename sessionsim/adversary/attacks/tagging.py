"""Tagging: a bit is flipped in a request, and the far end looks for the damage (metrics 2g).

In a network without authenticated layers a tag travels to the last hop and is seen there by whoever made it.
Here the next honest node refuses an altered layer, so no tag comes through: what is left to the adversary is
that something does not arrive, as with a plain drop, and that the refusal tells its first hop at once. If
tags were answered after all, their times would be compared with those of requests at the far end.

Source: metrics 2g; Danezis, Goldberg, Sphinx, IEEE S&P 2009, section 2.1 (tagging attacks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._absence import absent_accounts
from sessionsim.adversary.attacks._acts import acts, touched
from sessionsim.adversary.attacks._matching import matched, times_of_accounts
from sessionsim.adversary.attacks._settings import lag_setting, name_setting, window_setting
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Which tags are looked for."""

    interference: str = name_setting("tag")
    lag_us: int = lag_setting()
    window_us: int = window_setting(2 * US_PER_S, "How long before its answer a tag has reached the far end.")


@ATTACKS.register(config=Config, source="metrics 2g; Danezis, Goldberg, IEEE S&P 2009")
class Tagging:
    """Address of an account: of the client whose tags arrive with it, or with whose tags it falls silent."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = True
    acts = "tag"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: a tag is seen or it is not."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Look for tags that came through, and for silence if none did."""
        log = acts(view, self.acts, self._config.interference)
        through = log.of("answered")
        if not len(through.t_us):
            return absent_accounts(view, log, self._config.lag_us, rng)
        first, last = int(through.t_us.min()), int(through.t_us.max())
        times = times_of_accounts(view, (first - self._config.window_us, last + 1))
        clients, whose = np.unique(through.client, return_inverse=True)
        back = dict(zip(clients.tolist(), trains_of(through.t_us, whose, len(clients)), strict=True))

        def score(account: str, client: int) -> float:
            back_us = back.get(client, through.t_us[:0])
            seen_us = times[account]
            # Of the client's tags that came back: how many had a request of the account on the way.
            before = np.searchsorted(seen_us, back_us, "right") - np.searchsorted(
                seen_us, back_us - self._config.window_us, "left"
            )
            return float((before > 0).mean()) if len(back_us) else 0.0

        return matched(view, list(times), touched(log), score)
