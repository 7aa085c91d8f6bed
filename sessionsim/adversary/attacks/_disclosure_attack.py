"""What disclosure attacks have in common: rounds, scores of address and account, and their worth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import Need
from sessionsim.adversary.attacks._claims import Claims, learn_from
from sessionsim.adversary.attacks._flows import learn_spoken
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._rounds import RoundChoice, Rounds, rounds_with_inboxes
from sessionsim.core.ledger import Fact
from sessionsim.core.verdict import Example, Question, Verdict, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]


class DisclosureAttack:
    """Whether an address writes to an account, from who sends and whose inbox fills in rounds."""

    question = Question.CONTACT_OF_ADDRESS
    needs = frozenset({Need.LINKS, Need.NODES, Need.BYTES})
    learns = True
    open_world = True

    def __init__(self, config: RoundChoice) -> None:
        self._choice = config
        self._spoken: frozenset[int] | None = None
        self._claims: Claims | None = None

    @abstractmethod
    def scores(self, rounds: Rounds) -> Floats:
        """Score every real sender with every recipient, shape (asked, recipients)."""

    def rounds(self, view: View) -> Rounds | None:
        """Count the rounds of a view; None if there is nothing to count."""
        return rounds_with_inboxes(view, self._spoken, self._choice.round_us)

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn which sizes carry messages, and what scores are worth."""
        self._spoken = learn_spoken(examples) if examples else None
        self._claims = None
        judged = [(self._verdict(one.view), dict(one.labels[self.question])) for one in examples]
        self._claims = learn_from(judged)

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the recipients of each address that sent."""
        return self._verdict(view)

    def _verdict(self, view: View) -> Verdict:
        rounds = self.rounds(view)
        if rounds is None or not len(rounds.asked):
            return verdict_of(self.question, ())
        return ranking(
            self.question, rounds.senders[rounds.asked], rounds.recipients, self.scores(rounds),
            self._choice.keep, claims=self._claims,
        )  # fmt: skip
