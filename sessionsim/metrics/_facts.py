"""What a metric is given: one replicate with its truth, its records and what each observer concluded.

Built by `experiment` from stored files. Here, and only here, conclusions meet the answer sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sessionsim.core.ledger import Fact
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position
from sessionsim.core.truth import Truth
from sessionsim.core.verdict import Labelled
from sessionsim.core.view import Table


@dataclass(frozen=True, slots=True, eq=False)
class Replicate:
    """One finished replicate.

    Args:
        seed: the seed a person named.
        suite: name of the crypto suite it ran with.
        truth: the truth tables and the measured phase.
        records: columns of `core.columns.DTYPE` without `note`; row k is the k-th recorded transmission.
        watched: endpoints all of whose links were recorded.
        nodes: the public node list; node endpoints are 0..len(nodes)-1.
        endpoints: columns `endpoint` and `ip` (IPv4 as an integer) of every endpoint.
        positions: name of observer -> where it stands.
        ledgers: name of observer -> its facts; empty when the bytes of this replicate were not kept.
        months: first times of the path-only engine, columns of `truth/months.parquet`; empty if none ran.
        campaigns: registrations against one swarm, `truth/campaigns.parquet`; empty if none ran.
        version2: the settings of version 2 of the protocol, by field; empty if no account uses it.
        actions: what active adversaries did, columns of `core.view.ACTION_COLUMNS`; empty if nobody did.
        verdicts: what attacks concluded, in the order of the scenario; empty when nothing was attacked.
    """

    seed: int
    suite: str
    truth: Truth
    records: Table
    watched: frozenset[int]
    nodes: NodeList
    endpoints: Table
    positions: Mapping[str, Position]
    ledgers: Mapping[str, tuple[Fact, ...]]
    verdicts: tuple[Labelled, ...] = ()
    months: Table = field(default_factory=dict)
    campaigns: Table = field(default_factory=dict)
    version2: Mapping[str, Any] = field(default_factory=dict)
    actions: Table = field(default_factory=dict)

    @property
    def n_accounts(self) -> int:
        return len(self.truth.accounts["account"])

    @property
    def measured_days(self) -> float:
        """Length of the measured phase in days."""
        return (self.truth.end_us - self.truth.start_us) / 86_400_000_000

    def measured_messages(self) -> npt.NDArray[np.intp]:
        """Give the positions, in the table of messages, of those intended inside the measured phase."""
        return np.flatnonzero(self.truth.messages["measured"].astype(bool))


def dotted(ip: int) -> str:
    """Write an IPv4 address given as an integer, for example `244.0.0.7`."""
    return ".".join(str(ip >> shift & 255) for shift in (24, 16, 8, 0))
