"""Getting into one swarm by registering nodes: campaigns against the real rule of assignment (A6).

Placement is the network's (transport 2.3): a new node goes to one of the small swarms, and as swarms fill new
ones are made of the excess. So an attacker who wants into a chosen swarm registers nodes and looks where they
land; each costs a stake that comes back only weeks after it is given up. A campaign registers nodes one block
after another and notes, after each, how many of them stand in the swarm that serves the target's account.

Left out: nodes that leave or are decommissioned meanwhile, and other people's registrations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import Seeds
from sessionsim.protocol.swarm_assignment import reassign
from sessionsim.protocol.swarm_rules import SwarmRules
from sessionsim.protocol.swarms import nearest_swarm

Ints = npt.NDArray[np.int64]


def campaign(
    swarms: Mapping[int, Sequence[int]],
    target: int,
    registrations: int,
    rules: SwarmRules,
    seeds: Seeds,
    number: int,
) -> tuple[Ints, Ints]:
    """Register nodes one after another and follow the swarm of one account.

    Args:
        swarms: id -> its nodes, before the campaign; nodes are numbers of 0 or more.
        target: position of the target's account on the ring of swarms.
        registrations: how many nodes are registered.
        rules: sizes and percentiles of assignment.
        seeds, number: root of chance, and which campaign it is.

    Returns:
        How many of the attacker's nodes stand in the target's swarm after each registration, and how large
        that swarm is then; shape (registrations,) each.
    """
    current = {swarm: tuple(nodes) for swarm, nodes in swarms.items()}
    own, size = np.zeros(registrations, dtype=np.int64), np.zeros(registrations, dtype=np.int64)
    for k in range(registrations):
        block = seeds.address("capture", number, k)
        current = reassign(current, [-1 - k], block, rules)
        serving = nearest_swarm(target, sorted(current))
        members = () if serving is None else current[serving]
        own[k], size[k] = sum(node < 0 for node in members), len(members)
    return own, size


_RING = 1 << 64


def sizes_met(swarms: Mapping[int, Sequence[int]]) -> dict[int, float]:
    """Give the probability that an account, anywhere on the ring, is served by a swarm of each size.

    Args:
        swarms: id -> its nodes.

    Returns:
        Size -> share of the ring that is nearest to a swarm of that size; the shares sum to 1.
    Source: transport 2.4 (nearest id, either way around).
    """
    ids, found = sorted(swarms), Counter[int]()
    for k, one in enumerate(ids):
        gaps = (one - ids[k - 1]) % _RING + (ids[(k + 1) % len(ids)] - one) % _RING
        found[len(swarms[one])] += gaps if len(ids) > 1 else 2 * _RING
    return {size: share / (2 * _RING) for size, share in sorted(found.items())}
