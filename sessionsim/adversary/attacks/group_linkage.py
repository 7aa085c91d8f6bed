"""Group linkage: which accounts share a group, by when its tokens and their inboxes are polled (2b, 2d).

A group's swarm knows members by tokens that only the group gives them, an account's swarm knows the account.
But one app polls both: a token is silent while its owner's app sleeps, and back when it is. Who runs members
of both swarms counts, for each pair of token and account, the moments in which both were there, and holds
them against what two unrelated ones would share, from either side. The likeliest owner of a token takes a
share that falls with the distance of the others; accounts that are likely members of one group are claimed
as a pair. Apps that never sleep tell nothing: their polls of different inboxes have clocks of their own.

Source: metrics 2d(4) (co-occurrence), 2b (chance of a partner); threat-model A15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._choice import posterior
from sessionsim.adversary.attacks._server_events import signatures
from sessionsim.adversary.attacks._trains import rows_of, trains_of
from sessionsim.adversary.attacks._trains_met import Floats, Ints, excess
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

_ACCOUNT: Final = "account:05"
_MEMBER: Final = "member:"
_TWO: Final = 2  # accounts make a pair


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as near, and how much a distance says."""

    moment_us: int = setting(
        US_PER_MIN, unit="us", doc="Length of the moments in which somebody is there or not.",
        source="Assumption: longer than any gap between polls of an app that is awake", low=1_000,
        high=3600 * US_PER_S,
    )  # fmt: skip
    factor: float = setting(
        1.0, doc="By how much a deviation more makes an owner likelier, in natural units.",
        source="Assumption: less than the law of chance says, as polls of one app depend on each other",
        low=0.0, high=100.0,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2d(4), 2b; threat-model A15")
class GroupLinkage:
    """Pairs of accounts that share a group, by tokens that are used when their inboxes are polled."""

    question = Question.GROUP_MEMBER
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._moment_us, self._factor = config.moment_us, config.factor

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: what is counted is held against its own rate."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Tell for each pair of accounts how likely both own a token of one group."""
        asked = signatures(view)
        signer = asked.signer.astype(str)
        own = np.flatnonzero([name.startswith(_ACCOUNT) for name in signer.tolist()])
        shown = np.flatnonzero([name.startswith(_MEMBER) for name in signer.tolist()])
        accounts, polled = np.unique(signer[own], return_inverse=True)
        if len(accounts) < _TWO or not len(shown):
            return verdict_of(self.question, ())
        tokens, first, whose = np.unique(signer[shown], return_index=True, return_inverse=True)
        scores = self._met(
            self._moments(asked.t_us[own], polled, len(accounts)),
            self._moments(asked.t_us[shown], whose, len(tokens)),
        )
        together = pairs(posterior(scores, self._factor), asked.inbox[shown][first].tolist())
        rows, columns = np.nonzero(~np.eye(len(accounts), dtype=bool))
        named, prob = texts(accounts.tolist()), together[rows, columns]
        among = np.full(len(rows), len(accounts) - 1, dtype=np.int64)
        return Verdict(
            self.question, named[rows], named[columns], prob, prob, among, np.full(len(rows), NEVER)
        )

    def _moments(self, t_us: Ints, whose: npt.NDArray[np.intp], names: int) -> list[Ints]:
        """Give the beginnings of the moments in which each name was there."""
        moment = t_us // self._moment_us * self._moment_us
        return [np.unique(its) for its in trains_of(moment, whose, names)]

    def _met(self, accounts: Sequence[Ints], tokens: Sequence[Ints]) -> Floats:
        """Score each token with each account, shape (tokens, accounts): moments of both beyond chance."""
        half_us = self._moment_us // 2
        ways = []
        for ones, others in ((tokens, accounts), (accounts, tokens)):
            whose = np.repeat(np.arange(len(ones)), [len(one) for one in ones])
            near = (half_us - self._moment_us, half_us - 1)
            ways.append(excess(np.concatenate(ones), whose, len(ones), others, *near))
        return (ways[0] + ways[1].T) / 2


def pairs(owner: Floats, group: Sequence[str]) -> Floats:
    """Give for each two accounts how likely they share a group.

    Args:
        owner: probability that a token is an account's, shape (tokens, accounts). group: of each token.
    """
    apart = np.ones((owner.shape[1], owner.shape[1]))
    names, whose = np.unique(np.array(group, dtype=str), return_inverse=True)
    for rows in rows_of(whose, len(names)):
        member = 1 - np.prod(1 - owner[rows], axis=0)
        apart *= 1 - np.outer(member, member)
    return np.asarray(1 - apart, dtype=np.float64)
