"""Statistical disclosure: whose inbox fills more in the rounds in which an address sends (metrics 2c).

Scores are differences from the background, in standard errors. An address's own inbox, which takes its sync
copies, stands out more than any contact's; the question of contacts leaves it out.

Source: Danezis, Statistical Disclosure Attacks, SEC 2003; metrics 2c.
"""

from __future__ import annotations

import numpy as np

from sessionsim.adversary._attacks import ATTACKS
from sessionsim.adversary.attacks._disclosure_attack import DisclosureAttack, Floats
from sessionsim.adversary.attacks._rounds import RoundChoice as Config
from sessionsim.adversary.attacks._rounds import Rounds
from sessionsim.adversary.attacks._statistical_disclosure import statistical_disclosures


@ATTACKS.register(config=Config, source="Danezis, SEC 2003; metrics 2c")
class StatisticalDisclosure(DisclosureAttack):
    """Contacts of an address by the mean of the rounds it sends in."""

    def scores(self, rounds: Rounds) -> Floats:
        """Danezis' estimate over the spread of each recipient's counts."""
        spread = np.maximum(rounds.received.std(axis=0), 1e-9)
        active = rounds.sent[:, rounds.asked] > 0
        error = spread / np.sqrt(active.sum(axis=0))[:, None]
        found: Floats = statistical_disclosures(active, rounds.received) / error
        return found
