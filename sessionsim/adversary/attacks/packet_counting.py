"""Packet counting: the account whose inbox fills as often, window by window, as an address sends (2b(i)).

The cheapest of the flow attacks, and the first to fail: partners' inboxes fill alike, and whatever else moves
on a link counts too.

Source: Serjantov, Sewell, Passive Attack Analysis for Connection-Based Anonymity Systems, ESORICS 2003;
metrics 2b(i).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS
from sessionsim.adversary.attacks._cross_correlation import binned
from sessionsim.adversary.attacks._flow_attack import Floats, FlowAttack, FlowChoice
from sessionsim.adversary.attacks._flows import Flows
from sessionsim.adversary.attacks._packet_counting import packet_counting
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S


@dataclass(frozen=True, slots=True)
class Config(FlowChoice):
    """How windows are cut."""

    window_us: int = setting(
        15 * US_PER_S, unit="us", doc="Length of a window; much longer than a delay.",
        source="Assumption: ten times a usual delay", low=1_000, high=86_400 * US_PER_S,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Serjantov, Sewell, ESORICS 2003; metrics 2b(i)")
class PacketCounting(FlowAttack):
    """Address of an account by equal counts in windows."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._window_s = config.window_us / US_PER_S

    def scores(self, accounts: Flows, addresses: Flows) -> Floats:
        """Minus the sum of differences of counts, each flow's counts in shares of its whole."""
        horizon = max(float(times.max(initial=0.0)) for times in (*accounts.times_s, *addresses.times_s))
        counts = [binned(flows.times_s, self._window_s, horizon + 1e-9) for flows in (accounts, addresses)]
        shares = [table / np.maximum(table.sum(axis=1), 1)[:, None] for table in counts]
        return packet_counting(shares[0], shares[1])
