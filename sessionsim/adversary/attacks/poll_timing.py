"""Poll timing: the address whose requests go out just before an account's owner is served (2b(iii), 2d).

Clients poll every few seconds with a phase of their own, and each poll names the account to the swarm member
that is asked. Who taps links and runs one member sees both. The delay in between has a law, learned from
training seeds; for each pair the log of how much likelier the owner's requests are with this address behind
them than behind nobody in particular is added up. A minute of polls is worth more than many messages.

All addresses are weighed at once, so the work is that of one pass over the requests within reach of each
poll, and a hundred thousand addresses cost what their requests cost; crowds of strangers come in blocks.

Source: metrics 2b(iii) and 2d(1); the likelihood ratio of Danezis, PET 2004, for flows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._choice import learn_factor, true_columns
from sessionsim.adversary.attacks._crowds import crowds
from sessionsim.adversary.attacks._events import (
    Requests,
    addresses_of,
    online_clients,
    requests,
    retrieves,
)
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._trains import Ints, near, rows_of, trains_of
from sessionsim.adversary.attacks._transit import DelayLaw, delay_law
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Texts, Verdict, texts, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]

_ELSEWHERE: Final = 0.01  # Assumption: losses, repeats and other devices
_ENOUGH: Final = 2  # delays that make a law


@dataclass(frozen=True, slots=True)
class Config:
    """How late a poll may be."""

    longest_us: int = setting(
        4 * US_PER_S, unit="us", doc="Longest delay from link to member that is considered.",
        source="Assumption: several times the mean of an onion request's way", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per account.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2b(iii), 2d(1); Danezis, PET 2004")
class PollTiming:
    """Address of an account by the delays from its polls on a link to their arrival at a member."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.LINKS, Need.NODES, Need.BYTES})
    learns = True
    open_world = True
    among_polls = True

    def __init__(self, config: Config) -> None:
        self._keep, self._longest_us = config.keep, config.longest_us
        self._law: DelayLaw | None = None
        self._factor: float | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn the delay from the last request of the right address, and what scores are worth."""
        delays: list[float] = []
        for example in examples:
            delays += self._delays(example)
        self._law = delay_law(delays) if len(delays) >= _ENOUGH else None
        tables = []
        for example in examples:
            accounts, addresses, scores = self._scores(example.view)
            if scores.size:
                labels = dict(example.labels[self.question])
                tables.append((scores, true_columns(accounts.tolist(), addresses.tolist(), labels)))
        self._factor = learn_factor(tables)

    def _delays(self, example: Example) -> list[float]:
        sent, seen = requests(example.view), retrieves(example.view)
        clients, number = np.unique(sent.client, return_inverse=True)
        names, whose = np.unique(seen.account.astype(str), return_inverse=True)
        addresses = addresses_of(example.view, clients).tolist()
        trains = dict(zip(addresses, rows_of(number, len(clients)), strict=True))
        labels, found = example.labels[self.question], list[float]()
        for account, polls in zip(names.tolist(), trains_of(seen.t_us, whose, len(names)), strict=True):
            mine = [trains[address] for address in labels.get(account, ()) if address in trains]
            own = np.sort(sent.t_us[np.concatenate([*mine, np.zeros(0, dtype=np.intp)])])
            before = np.searchsorted(own, polls, "left") - 1
            late_us = polls[before >= 0] - own[before[before >= 0]]
            found += (late_us[(late_us > 0) & (late_us <= self._longest_us)] / US_PER_S).tolist()
        return found

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the addresses of each account whose owner was served by an operated member."""
        accounts, addresses, scores = self._scores(view)
        if not scores.size:
            return verdict_of(self.question, ())
        return ranking(
            self.question, accounts, addresses, scores, self._keep,
            among=online_clients(view), factor=self._factor,
        )  # fmt: skip

    def _scores(self, view: View) -> tuple[Texts, Texts, Floats]:
        """Score every account served with every address, nats; nothing where there is nothing to score."""
        sent, seen = requests(view), retrieves(view)
        if self._law is None or not len(sent.t_us) or not len(seen.t_us):
            return texts([]), texts([]), np.zeros((0, 0))
        names, whose = np.unique(seen.account.astype(str), return_inverse=True)
        served = (seen.t_us, whose, len(names))
        span_s = max(float(np.ptp(sent.t_us)) / US_PER_S, 1.0)
        found = [
            (np.unique(some.client), _scored(some, served, self._law, self._longest_us, span_s))
            for some in (sent, *crowds(view))
        ]
        clients, scores = (np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))
        return texts(names.tolist()), addresses_of(view, clients), scores


def _scored(
    sent: Requests,
    served: tuple[Ints, npt.NDArray[np.intp], int],
    law: DelayLaw,
    longest_us: int,
    span_s: float,
) -> Floats:
    """Score accounts with the clients of some requests, shape (accounts, clients ascending).

    Args:
        served: when owners were served, number of each one's account, and how many accounts.
        span_s: for how long requests were looked at.
    """
    t_us, whose, accounts = served
    clients, number = np.unique(sent.client, return_inverse=True)
    rate, many = np.bincount(number) / span_s, len(clients)
    # One request in a hundred may come from elsewhere, so a single miss does not rule anyone out.
    scores = np.repeat(np.bincount(whose, minlength=accounts) * np.log(_ELSEWHERE), many)
    for poll, request in near(t_us, sent.t_us, -longest_us, 0):
        weight = np.exp(law((t_us[poll] - sent.t_us[request]) / US_PER_S))
        cells, place = np.unique(poll * many + number[request], return_inverse=True)
        density = np.bincount(place, weight, len(cells))
        account, client = whose[cells // many], cells % many
        more = np.log1p((1 - _ELSEWHERE) / _ELSEWHERE * density / rate[client])
        np.add.at(scores, account * many + client, more)
    return scores.reshape(accounts, many)
