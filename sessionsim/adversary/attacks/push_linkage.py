"""Push linkage: the address of the device that is told whenever something comes into an inbox (metrics 2h).

A push platform sees which device it tells, and when; a swarm member, which inbox something was stored in,
and when. A device is told a moment after the store. For each pair of inbox and address the stores that were
followed by a delivery are counted and held against what unrelated deliveries would give. No account or
message is read at the platform: it need not even know the app.

Source: metrics 2h (push: arrival trains, platform sees token and time), 2b (chance of a partner).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import addresses_of, online_clients, stores
from sessionsim.adversary.attacks._ranking import ranking
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.adversary.attacks._trains_met import excess
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

_DELIVERY: Final = HEAD_CODE["push_delivery"]


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as a moment after."""

    window_us: int = setting(
        5 * US_PER_S, unit="us", doc="How long after a store a device is told at the latest.",
        source="Assumption: node, push server and platform take less", low=1_000, high=600 * US_PER_S,
    )  # fmt: skip
    keep: int = setting(
        200, doc="How many of the best candidates a verdict lists per account.",
        source="Assumption: ranks beyond are told as one", low=1, high=1_000_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2h, 2b; threat-model Q11")
class PushLinkage:
    """Address of an account by which device is told when something comes into its inbox."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._window_us, self._keep = config.window_us, config.keep

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: what is counted is held against its own rate."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Rank the addresses of each inbox by how much oftener than chance they were told."""
        rows, stored = view.rows, stores(view, strangers=False)
        told = np.flatnonzero((rows["head"] == _DELIVERY) & (rows["direction"] == 0))
        if not len(told) or not len(stored.t_us):
            return verdict_of(self.question, ())
        order = told[np.argsort(rows["t_us"][told], kind="stable")]
        when, device = rows["t_us"][order].astype(np.int64), rows["dst"][order].astype(np.int64)
        devices, whose_device = np.unique(device, return_inverse=True)
        accounts, whose = np.unique(stored.inbox.astype(str), return_inverse=True)
        trains = trains_of(when, whose_device, len(devices))
        scores = excess(stored.t_us, whose, len(accounts), trains, 0, self._window_us)
        return ranking(
            self.question, texts(accounts.tolist()), addresses_of(view, devices), scores, self._keep,
            among=max(online_clients(view), len(devices)),
        )  # fmt: skip
