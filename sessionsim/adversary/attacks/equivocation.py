"""Equivocation: a replica gives each asker a name of its own, and counts who repeats them (metrics 2g).

A client names the last hash that a node gave it, and believes the node. So a replica that calls the last
message of each answer something else knows the asker again at its next request, over whatever path it
comes. A device repeats one name at a time, from when it was told until it is told another; as many names as
are alive at once at one node, so many devices ask there for the account.

Source: metrics 2g (equivocation), 2d(3) (distinct cursors); transport 5.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import Acts, acts
from sessionsim.adversary.attacks._events import repeated_cursors
from sessionsim.adversary.attacks._settings import name_setting
from sessionsim.adversary.attacks._trains import rows_of
from sessionsim.core.ledger import Fact
from sessionsim.core.verdict import NEVER, Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View

_MOST: Final = 4  # Assumption: more devices of one account are taken for so many


@dataclass(frozen=True, slots=True)
class Config:
    """Which names are looked for."""

    interference: str = name_setting("equivocate")


@ATTACKS.register(config=Config, source="metrics 2g, 2d(3); transport 5.6")
class Equivocation:
    """Number of an account's devices: of the chains of names that are repeated at one node."""

    question = Question.DEVICES
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = False
    acts = "equivocate"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: chains are counted."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Count, for each account that was told names, those alive at once at the node that shows most."""
        told = acts(view, self.acts, self._config.interference).of("told")
        seen, last = repeated_cursors(view), dict[str, int]()
        for name, t_us in zip(seen.cursor.tolist(), seen.t_us.tolist(), strict=True):
            last[name] = t_us
        guesses = []
        accounts, whose = np.unique(told.account.astype(str), return_inverse=True)
        for account, rows in zip(accounts.tolist(), rows_of(whose, len(accounts)), strict=True):
            own = told.where(rows)
            nodes, where = np.unique(own.place, return_inverse=True)
            found = max(_alive(own.where(those), last) for those in rows_of(where, len(nodes)))
            if found:
                guesses += [
                    Guess(f"account:{account}", f"devices:{k}", -abs(float(k - min(found, _MOST))),
                          float("nan"), _MOST, NEVER)
                    for k in range(1, _MOST + 1)
                ]  # fmt: skip
        return verdict_of(self.question, guesses)


def _alive(told: Acts, last: Mapping[str, int]) -> int:
    """Count the names of one node that are alive at once, from when each was told until it was repeated last.

    A name that nobody ever repeated was in an answer that did not arrive.
    """
    pairs = zip(told.t_us.tolist(), told.token.tolist(), strict=True)
    lives = [(t_us, last[name]) for t_us, name in pairs if last.get(name, t_us) > t_us]
    begins, ends = (np.sort(np.array([life[k] for life in lives], dtype=np.int64)) for k in (0, 1))
    begun, over = np.searchsorted(begins, begins, "right"), np.searchsorted(ends, begins, "right")
    return int((begun - over).max(initial=0))
