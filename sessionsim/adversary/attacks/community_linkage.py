"""Community linkage: the address behind a blinded id, by when it asks its community (metrics 2h).

A community knows its members by ids that only it gives them, and is asked by the last hops of paths. Every
request is signed, polls as well as posts, so each id leaves a train of times; a moment before each of them
its client sent a request on its own link. For each pair of id and address the requests that a sending
preceded are counted and held against what this client's rate gives by chance; so an address that is always
busy gains nothing by it.

Source: metrics 2h (community server: reads by poll, addresses are the last hop's), 2b (chance of a partner).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import addresses_of, clients_seen, online_clients, requests
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._server_events import signatures
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.adversary.attacks._trains_met import excess
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

_BLINDED: Final = "blinded:"


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as a moment before."""

    window_us: int = setting(
        1 * US_PER_S, unit="us", doc="How long a request is on its way to its community at most.",
        source="Assumption: three nodes and a server", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per blinded id.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2h, 2b; threat-model A14")
class CommunityLinkage:
    """Address of a blinded id by which client sends whenever it asks."""

    question = Question.ADDRESS_OF_BLINDED
    needs = frozenset({Need.LINKS, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._window_us, self._keep = config.window_us, config.keep

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: what is counted is held against its own rate."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the addresses for each blinded id by how much oftener than chance they had just sent."""
        asked, clients = signatures(view), clients_seen(view)
        signer = asked.signer.astype(str)
        mine = np.char.startswith(signer, _BLINDED) if len(signer) else np.zeros(0, dtype=bool)
        sent = requests(view)
        if not mine.any() or not len(sent.t_us):
            return verdict_of(self.question, ())
        names, whose = np.unique(signer[mine], return_inverse=True)
        trains = trains_of(sent.t_us, np.searchsorted(clients, sent.client), len(clients))
        scores = excess(asked.t_us[mine], whose, len(names), trains, -self._window_us, 0)
        return ranking(
            self.question, texts(names.tolist()), addresses_of(view, clients), scores, self._keep,
            among=max(online_clients(view), len(clients)),
        )  # fmt: skip
