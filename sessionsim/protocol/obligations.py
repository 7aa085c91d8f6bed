"""When the network takes a node out of service, and back: quorums of other nodes (client-behaviour 7.1).

Nodes test one another all the time; each remembers since when it cannot reach another. In every block a
quorum votes on some nodes drawn at random: one that cannot be reached for long enough is decommissioned, one
that is decommissioned and works is brought back, and one whose credit is used up is removed for good. The
tests themselves, and votes that differ, are not modelled: a quorum sees what is true.
Source: oxen-core: src/cryptonote_core/service_node_quorum_cop.cpp check_service_node, service_node_rules.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log1p
from typing import NamedTuple

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN

_RULES = "client-behaviour 7.1; oxen-core: src/cryptonote_core/service_node_rules.h"


@dataclass(frozen=True, slots=True)
class ObligationRules:
    """How soon a failing node is taken out, and a mended one back."""

    unreachable_us: int = setting(
        65 * US_PER_MIN,
        unit="us",
        low=0,
        doc="How long others cannot reach a node before a quorum votes against it.",
        source="oxen-core: src/cryptonote_core/service_node_quorum_cop.cpp: UPTIME_PROOF_VALIDITY less "
        "UPTIME_PROOF_FREQUENCY, 2 h 5 min less 1 h (client-behaviour 7.1)",
    )
    tested_min: int = setting(
        50, low=1, doc="Nodes that are voted on in a block, at least.", source=f"{_RULES} MIN_NODES_TO_TEST"
    )
    tested_share_prob: float = setting(
        0.01,
        unit="prob",
        low=0,
        high=1,
        doc="Share of all nodes that is voted on in a block, if that is more.",
        source=f"{_RULES} NTH_OF_THE_NETWORK_TO_TEST",
    )
    credit_us: int = setting(
        48 * US_PER_H,
        unit="us",
        low=0,
        high=366 * US_PER_DAY,
        doc="How long a node may be decommissioned before it is removed.",
        source="client-behaviour 7.1: at most 48 h; Assumption: every node has earned all of it",
    )

    def tested_prob(self, count: int) -> float:
        """Give the chance of one of `count` nodes to be voted on in a block."""
        return min(1.0, max(self.tested_min, self.tested_share_prob * count) / count) if count else 1.0


class Verdicts(NamedTuple):
    """What quorums make of an outage, as numbers of blocks.

    Args:
        out: decommissioned.
        back: recommissioned; None if it is removed.
        removed: for good; None if it came back.
    """

    out: int
    back: int | None
    removed: int | None


def verdicts(
    begin_us: int,
    end_us: int,
    block_us: int,
    count: int,
    rules: ObligationRules,
    first_draw: float,
    second_draw: float,
) -> Verdicts | None:
    """Say what becomes of a node that cannot be reached from `begin_us` to `end_us`.

    Args:
        block_us: time between blocks; block k comes at k·block_us.
        count: nodes there are.
        first_draw, second_draw: from (0, 1], for the two waits for a vote.

    Returns:
        None if no quorum notices in time.
    """
    tested = rules.tested_prob(count)
    noticed = -(-(begin_us + rules.unreachable_us) // block_us)
    out = noticed + _wait(tested, first_draw)
    if out * block_us >= end_us:
        return None
    back = -(-end_us // block_us) + _wait(tested, second_draw)
    removed = out + -(-rules.credit_us // block_us)
    return Verdicts(out, None, removed) if removed <= back else Verdicts(out, back, None)


def _wait(prob: float, uniform: float) -> int:
    """Give how many blocks pass without a vote on a node: geometric."""
    return 0 if prob >= 1 else int(log(uniform) / log1p(-prob))
