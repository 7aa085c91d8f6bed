"""Two-sided disclosure, from links alone (metrics 2c).

Who is answered in the rounds in which an address sends, and who sends in those in which it is answered?

An internet provider sees no account, but it sees who sends a message and whose poll comes back longer. Both
directions of a conversation count, so a contact stands out twice.

Source: Danezis, Diaz, Troncoso, Two-Sided Statistical Disclosure Attack, PET 2007; metrics 2c. The weights of
the two sides are ours.
"""

from __future__ import annotations

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._disclosure_attack import DisclosureAttack, Floats
from sessionsim.adversary.attacks._rounds import RoundChoice as Config
from sessionsim.adversary.attacks._rounds import Rounds, rounds_with_answers
from sessionsim.adversary.attacks._two_sided_disclosure import two_sided_disclosures
from sessionsim.core.verdict import Question
from sessionsim.core.view import View


@ATTACKS.register(config=Config, source="Danezis, Diaz, Troncoso, PET 2007; metrics 2c")
class TwoSidedDisclosure(DisclosureAttack):
    """Addresses that write to each other, from sizes and times on links."""

    question = Question.CONTACT_ADDRESS
    needs = frozenset({Need.LINKS})

    def rounds(self, view: View) -> Rounds | None:
        """Count sending, and answers that bring something."""
        return rounds_with_answers(view, self._spoken, self._choice.round_us)

    def scores(self, rounds: Rounds) -> Floats:
        """Both sides in standard errors, for each address with each other."""
        place = {name: k for k, name in enumerate(rounds.recipients.tolist())}
        people = rounds.recipients.tolist()
        sent = np.zeros((len(rounds.sent), len(people)))
        for k, name in enumerate(rounds.senders.tolist()):
            if name in place:
                sent[:, place[name]] = rounds.sent[:, k]
        gets = np.zeros((len(sent), len(rounds.asked)), dtype=bool)
        for row, name in enumerate(rounds.senders[rounds.asked].tolist()):
            if name in place:
                gets[:, row] = rounds.received[:, place[name]] > 0
        # A message that is fetched a round later still counts, since polls take their time.
        later = np.r_[rounds.received[1:], np.zeros((1, len(people)))]
        return two_sided_disclosures(rounds.sent[:, rounds.asked] > 0, rounds.received + later, gets, sent)
