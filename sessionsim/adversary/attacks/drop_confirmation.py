"""Drop confirmation: requests of a suspect are dropped, and the far end looks who falls silent (metrics 2g).

The adversary drops what a client asks in slots of that client's own key. An account at a replica of the
adversary's that does not ask in those slots, but does otherwise, is taken for that client's (`_absence`). The
client notices: its requests fail, and it leaves the path or the guard.

Source: metrics 2g, 2a (selective denial of service); Borisov, Danezis, Mittal, Tabriz, CCS 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._absence import absent_accounts
from sessionsim.adversary.attacks._acts import acts
from sessionsim.adversary.attacks._settings import lag_setting, name_setting
from sessionsim.core.ledger import Fact
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Which drops are looked for."""

    interference: str = name_setting("drop")
    lag_us: int = lag_setting()


@ATTACKS.register(config=Config, source="metrics 2g, 2a; Borisov et al., CCS 2007")
class DropConfirmation:
    """Address of an account: of the client with whose drops it falls silent."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = True
    acts = "drop"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: the law of a flow that was left alone is known."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Score every account that asked at an operated member against every client that was struck."""
        log = acts(view, self.acts, self._config.interference)
        return absent_accounts(view, log, self._config.lag_us, rng)
