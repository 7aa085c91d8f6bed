"""Online probe: something is stored for an account, and links are watched for who fetches it (metrics 2g).

Anyone may store for anyone whose id he knows. A device that is online asks its swarm again within seconds,
and its answer is larger by what was stored: on a tapped link, or at an operated guard, that shows without
anything being opened. Probes at secret times make a rhythm that only the links of that account's devices
follow.

Source: metrics 2g; Evans, Dingledine, Grothoff, A practical congestion attack on Tor, USENIX Security 2009
(the idea of a load whose rhythm is looked for elsewhere).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import acts, span_of
from sessionsim.adversary.attacks._events import answers
from sessionsim.adversary.attacks._matching import matched
from sessionsim.adversary.attacks._settings import name_setting, window_setting
from sessionsim.adversary.attacks._swelling import rank_score, windows_of
from sessionsim.adversary.attacks._trains import rows_of
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Which probes are looked for."""

    interference: str = name_setting("probe")
    window_us: int = window_setting(6 * US_PER_S, "How long after a probe its fetching is looked for.")


@ATTACKS.register(config=Config, source="metrics 2g; Evans, Dingledine, Grothoff, USENIX Security 2009")
class OnlineProbe:
    """Address of an account: of the client whose answers are larger after probes for it."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.LINKS})
    learns = False
    open_world = True
    acts = "probe"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: ranks need no law of sizes."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Score every probed account against every client: sizes of answers after probes against the rest."""
        log = acts(view, self.acts, self._config.interference)
        begin_us, end_us = span_of(log)
        windows, seen = windows_of(log, self._config.window_us), answers(view)
        here = (seen.t_us >= begin_us) & (seen.t_us < end_us)
        t_us, size = seen.t_us[here], seen.wire_bytes[here]
        clients, whose = np.unique(seen.client[here], return_inverse=True)
        rows = dict(zip(clients.tolist(), rows_of(whose, len(clients)), strict=True))

        def score(account: str, candidate: int) -> float:
            own = rows[candidate]
            inside = windows[account].hold(t_us[own])
            return rank_score(size[own][inside], size[own][~inside])

        # Whose answers have nothing to do with the probes scores by the standard normal law.
        return matched(
            view, list(windows), clients.tolist(), score,
            lambda _account, people: rng.standard_normal(people),
        )  # fmt: skip
