"""What attacks that compare flows have in common: which flows, scores to claims, and the verdict.

Two streams belong together if the one causes the other: an address whose requests carry messages and the
inbox that its sync copies go into, or an address that polls and the account whose owner is answered.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import Need
from sessionsim.adversary.attacks._choice import learn_factor, true_columns
from sessionsim.adversary.attacks._events import online_clients
from sessionsim.adversary.attacks._flows import (
    Flows,
    flows_of_addresses,
    flows_of_inboxes,
    flows_of_owners,
    learn_spoken,
)
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlowChoice:
    """Which flows are compared."""

    looks_at: str = setting(
        "messages",
        doc="What is compared: messages on links with stores into inboxes, or requests with those of owners.",
        source="metrics 2b, 2d: both are at hand to who sees links and swarm members",
        choices=("messages", "polls"),
    )
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per account.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


class FlowAttack:
    """Which address an account uses, by comparing its flow with those of addresses."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.LINKS, Need.NODES, Need.BYTES})
    learns = True
    open_world = True

    def __init__(self, config: FlowChoice) -> None:
        self._choice = config
        self._spoken: frozenset[int] | None = None
        self._factor: float | None = None

    @abstractmethod
    def scores(self, accounts: Flows, addresses: Flows) -> Floats:
        """Score every pair, shape (accounts, addresses); the higher the likelier."""

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn which sizes carry messages, and what scores are worth."""
        self._spoken = learn_spoken(examples) if examples else None
        tables = []
        for example in examples:
            accounts, addresses = self._flows(example.view)
            if len(accounts.names) and len(addresses.names):
                labels = dict(example.labels[self.question])
                true = true_columns(accounts.names.tolist(), addresses.names.tolist(), labels)
                tables.append((self.scores(accounts, addresses), true))
        self._factor = learn_factor(tables)

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the addresses of each account seen."""
        accounts, addresses = self._flows(view)
        scores = np.zeros((len(accounts.names), len(addresses.names)))
        if scores.size:
            scores = self.scores(accounts, addresses)
        return ranking(
            self.question, accounts.names, addresses.names, scores, self._choice.keep,
            among=online_clients(view), factor=self._factor,
        )  # fmt: skip

    def _flows(self, view: View) -> tuple[Flows, Flows]:
        if self._choice.looks_at == "polls":
            return flows_of_owners(view), flows_of_addresses(view, None)
        return flows_of_inboxes(view, strangers=False), flows_of_addresses(view, self._spoken)
