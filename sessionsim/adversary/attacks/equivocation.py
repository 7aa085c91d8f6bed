"""Equivocation: a replica gives each asker a name of its own, and counts who repeats them (metrics 2g).

A client names the last hash that a node gave it, and believes the node. So a replica that calls the last
message of each answer something else knows the asker again at its next request, over whatever path it
comes. The names of one device form a chain, each given in answer to the one before; as many chains as are
alive at one node, so many devices ask there for the account.

Source: metrics 2g (equivocation), 2d(3) (distinct cursors); transport 5.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import Acts, acts
from sessionsim.adversary.attacks._events import retrieves
from sessionsim.adversary.attacks._settings import name_setting
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
        """Count, for each account that was told names, the chains at the node that shows most of them."""
        told = acts(view, self.acts, self._config.interference).of("told")
        seen = retrieves(view)
        repeated = set(seen.cursor.tolist())
        guesses = []
        for name in np.unique(told.account.astype(str)):
            own = told.where(told.account.astype(str) == name)
            found = max(_chains(own, node, repeated) for node in np.unique(own.place).tolist())
            if found:
                guesses += [
                    Guess(f"account:{name}", f"devices:{k}", -abs(float(k - min(found, _MOST))),
                          float("nan"), _MOST, NEVER)
                    for k in range(1, _MOST + 1)
                ]  # fmt: skip
        return verdict_of(self.question, guesses)


def _chains(told: Acts, node: int, repeated: set[str]) -> int:
    """Count the chains at a node: repeated names, but those in answer to which another such was given."""
    here = told.place == node
    pairs = [
        (token, asked)
        for token, asked in zip(told.token[here].tolist(), told.asked[here].tolist(), strict=True)
        if token in repeated
    ]
    passed = {asked for _, asked in pairs}
    return sum(token not in passed for token, _ in pairs)
