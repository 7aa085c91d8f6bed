"""Flood: an inbox is filled in bursts, and links are watched for who has to carry it away (metrics 2g).

As `online_probe`, with volume in place of single answers: the bytes that come back to a client in slots
with a burst are held against those of slots without. It needs no time resolution, so an hourly byte count
of a provider would do; it costs the adversary, the swarm and the account that volume.

Source: metrics 2g (flooding); Serjantov, Dingledine, Syverson, From a trickle to a flood, IH 2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import acts, span_of
from sessionsim.adversary.attacks._events import answers
from sessionsim.adversary.attacks._matching import matched
from sessionsim.adversary.attacks._settings import name_setting
from sessionsim.adversary.attacks._swelling import rank_score
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.ledger import Fact
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """Which floods are looked for."""

    interference: str = name_setting("flood")


@ATTACKS.register(config=Config, source="metrics 2g; Serjantov, Dingledine, Syverson, IH 2002")
class Flood:
    """Address of an account: of the client to whom more comes back in slots with a burst for it."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.LINKS})
    learns = False
    open_world = True
    acts = "flood"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: ranks need no law of volumes."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Score every flooded account against every client: bytes in slots with a burst against the rest."""
        log = acts(view, self.acts, self._config.interference)
        slots, (begin_us, end_us) = log.of("slot"), span_of(log)
        slot_us = int((slots.until_us - slots.t_us).max(initial=1))
        n = -(-(end_us - begin_us) // slot_us)
        seen = answers(view)
        here = (seen.t_us >= begin_us) & (seen.t_us < end_us)
        clients, whose = np.unique(seen.client[here], return_inverse=True)
        volume = np.zeros((len(clients), max(1, n)))
        np.add.at(volume, (whose, (seen.t_us[here] - begin_us) // slot_us), seen.wire_bytes[here])
        marked = {}
        names, target = np.unique(slots.account.astype(str), return_inverse=True)
        for name, t_us in zip(names.tolist(), trains_of(slots.t_us, target, len(names)), strict=True):
            flags = np.zeros(max(1, n), dtype=bool)
            flags[(t_us - begin_us) // slot_us] = True
            marked[f"account:{name}"] = flags
        row = {int(client): k for k, client in enumerate(clients.tolist())}

        def score(account: str, client: int) -> float:
            flags = marked[account]
            return rank_score(volume[row[client]][flags], volume[row[client]][~flags])

        # Whose volume has nothing to do with the bursts scores by the standard normal law.
        return matched(
            view, list(marked), list(row), score, lambda _account, people: rng.standard_normal(people)
        )
