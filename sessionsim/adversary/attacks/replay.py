"""Replay: a request is sent once more, and the far end looks what comes twice (metrics 2g).

A node keeps no memory of the onions it has opened, so a copy takes the same way as the first and asks the
same thing: an operated replica gets the same bytes twice, the second time when the adversary's own guard
had sent the copy. That links the client at the guard with the account at the replica, whatever times and
sizes say. A path that is the adversary's from end to end needs no copy, and is passed over.

Source: metrics 2g; Pries, Yu, Fu, Zhao, A new replay attack against anonymous communication networks, ICC
2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._acts import Acts, acts, touched
from sessionsim.adversary.attacks._events import retrieves
from sessionsim.adversary.attacks._matching import matched
from sessionsim.adversary.attacks._settings import name_setting, window_setting
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_MS
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import AT_ENDPOINT, View

_HOP = HEAD_CODE["sn.onion_request"]


@dataclass(frozen=True, slots=True)
class Config:
    """Which copies are looked for."""

    interference: str = name_setting("replay")
    window_us: int = window_setting(
        1500 * US_PER_MS, "How long after it was sent a copy reaches the far end at the latest."
    )


@ATTACKS.register(config=Config, source="metrics 2g; Pries et al., ICC 2008")
class Replay:
    """Address of an account: of the client whose copies arrive as the account's second ones."""

    question = Question.ADDRESS_OF
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = False
    acts = "replay"

    def __init__(self, config: Config) -> None:
        self._config = config

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: equal bytes are equal."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Say of each account whose requests came twice which client's copies they can have been."""
        log = acts(view, self.acts, self._config.interference)
        copies, twice = log.of("copied"), _twice(view)
        points: dict[tuple[str, int], float] = {}
        for account, t_us in twice:
            for client, share in _senders(copies, t_us, self._config.window_us).items():
                points[account, client] = points.get((account, client), 0.0) + share
        accounts = sorted({account for account, _ in points})
        return matched(
            view, accounts, touched(log), lambda account, client: points.get((account, client), 0.0)
        )


def _twice(view: View) -> list[tuple[str, int]]:
    """Give account and time of every request that an operated node has got before, byte for byte."""
    rows = view.rows
    here = (rows["place"] == AT_ENDPOINT) & (rows["head"] == _HOP) & (rows["blob"].astype(np.int64) >= 0)
    here &= np.isin(rows["dst"].astype(np.int64), np.fromiter(sorted(view.own), np.int64, len(view.own)))
    dst, blob, t_us = (rows[name][here].astype(np.int64).tolist() for name in ("dst", "blob", "t_us"))
    first: dict[tuple[int, int], int] = {}
    again = [
        (node, first[node, number], when)
        for node, number, when in zip(dst, blob, t_us, strict=True)
        if first.setdefault((node, number), when) != when
    ]
    seen = retrieves(view)
    asked = {
        (node, when): account
        for node, when, account in zip(
            seen.node.tolist(), seen.t_us.tolist(), seen.account.tolist(), strict=True
        )
    }
    return [(asked[node, before], when) for node, before, when in again if (node, before) in asked]


def _senders(copies: Acts, t_us: int, window_us: int) -> dict[int, float]:
    """Give the clients one of whose copies can have arrived at a time, each with its share of the claim."""
    here = slice(*np.searchsorted(copies.t_us, (t_us - window_us, t_us)).tolist())
    clients, often = np.unique(copies.client[here], return_counts=True)
    total = int(often.sum())
    return {int(client): n / total for client, n in zip(clients.tolist(), often.tolist(), strict=True)}
