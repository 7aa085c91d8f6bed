"""Normalised disclosure: in each round every message that left is one of those that came (metrics 2c).

Starts from the least-squares profiles and scales each round's table until its rows and columns sum to one.
Rounds in which more or fewer messages came than left are cut to the smaller number, the earliest first. A
round's table is as large as its messages squared, so this one is for closed worlds.

Source: Troncoso, Gierlichs, Preneel, Verbauwhede, Perfect Matching Disclosure Attacks, PETS 2008; metrics 2c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS
from sessionsim.adversary.attacks._disclosure_attack import DisclosureAttack, Floats
from sessionsim.adversary.attacks._least_squares_disclosure import least_squares_disclosure
from sessionsim.adversary.attacks._normalised_disclosure import normalised_disclosure
from sessionsim.adversary.attacks._rounds import RoundChoice, Rounds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config(RoundChoice):
    """Rounds, and how often they are gone through."""

    passes: int = setting(
        2, doc="How often all rounds are gone through.", source="Assumption: two", low=1, high=100
    )


@ATTACKS.register(config=Config, source="Troncoso et al., PETS 2008; metrics 2c")
class NormalisedDisclosure(DisclosureAttack):
    """Contacts of all addresses, each round's messages matched one to one."""

    open_world = False

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._passes = config.passes

    def scores(self, rounds: Rounds) -> Floats:
        """Profiles after normalising."""
        first = np.maximum(least_squares_disclosure(rounds.sent, rounds.received), 0.0)
        tables = []
        for out, into in zip(rounds.sent.astype(int), rounds.received.astype(int), strict=True):
            senders, recipients = np.repeat(np.arange(len(out)), out), np.repeat(np.arange(len(into)), into)
            many = min(len(senders), len(recipients))
            if many:
                tables.append((senders[:many], recipients[:many]))
        return normalised_disclosure(tables, first + 1e-6, self._passes)[rounds.asked]
