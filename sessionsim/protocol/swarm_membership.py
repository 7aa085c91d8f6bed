"""Which nodes are in which swarm, wait for one or rest, and what a block changes (transport 2.3).

    registered ──> waiting ──(block)──> in a swarm ──> decommissioned
                      ^                                       │
                      └───────────── recommissioned ──────────┘
    from anywhere, when deregistered or expired: gone

A node that is decommissioned leaves its swarm at once and is assigned anew, normally elsewhere, when it comes
back. `settle` runs the assignment of `swarm_assignment`; it is due in every block that changed something.
Pure functions: a membership is never altered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from operator import is_not
from typing import Generic, TypeVar

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.swarm_assignment import Node, reassign
from sessionsim.protocol.swarm_rules import SwarmRules

# Nodes are named by their key, or in a simulation by a number.
Key = TypeVar("Key", int, bytes)


@dataclass(frozen=True, slots=True)
class Membership(Generic[Key]):
    """Where every node stands.

    Args:
        swarms: id -> its nodes in ascending order; none is empty.
        waiting: nodes that the next block assigns.
        decommissioned: nodes that are registered but serve nowhere.
    """

    swarms: Mapping[int, tuple[Key, ...]] = field(default_factory=dict)
    waiting: frozenset[Key] = frozenset()
    decommissioned: frozenset[Key] = frozenset()


def seed_of_block(block_hash: bytes) -> int:
    """Give the seed of a block: the first 8 bytes of its hash, little-endian.

    Raises:
        LocalProtocolError: not 32 bytes.
    Source: transport 2.3; oxen-core: src/cryptonote_core/service_node_list.cpp (bytes are copied into a
        number, so the order is that of the processor; every supported one is little-endian).
    """
    if len(block_hash) != 32:
        raise LocalProtocolError(f"a block hash has 32 bytes, not {len(block_hash)}")
    return int.from_bytes(block_hash[:8], "little")


def register(membership: Membership[Key], nodes: Iterable[Key]) -> Membership[Key]:
    """Add new nodes; they wait for the next block. Raises LocalProtocolError: one is there already."""
    new = _each_once(nodes)
    places = (membership.waiting, membership.decommissioned, *membership.swarms.values())
    if not all(map(new.isdisjoint, places)):
        raise LocalProtocolError("a node is registered twice")
    return replace(membership, waiting=membership.waiting | new)


def decommission(membership: Membership[Key], nodes: Iterable[Key]) -> Membership[Key]:
    """Take active nodes out of service for a while.

    Raises:
        LocalProtocolError: one is not active.
    Source: transport 2.3; oxen-core: src/cryptonote_core/service_node_list.cpp, hard fork 13 and later
        (before, a decommissioned node kept its swarm).
    """
    gone = _each_once(nodes)
    left = _without(membership, gone)
    if not gone.isdisjoint(membership.decommissioned):
        raise LocalProtocolError("a node is decommissioned already")
    return replace(left, decommissioned=left.decommissioned | gone)


def recommission(membership: Membership[Key], nodes: Iterable[Key]) -> Membership[Key]:
    """Bring decommissioned nodes back; like new ones they wait for the next block.

    Raises:
        LocalProtocolError: one is not decommissioned.
    Source: transport 2.3; oxen-core: src/cryptonote_core/service_node_list.cpp.
    """
    back = _each_once(nodes)
    if not back <= membership.decommissioned:
        raise LocalProtocolError("a node is not decommissioned")
    return replace(
        membership, waiting=membership.waiting | back, decommissioned=membership.decommissioned - back
    )


def remove(membership: Membership[Key], nodes: Iterable[Key]) -> Membership[Key]:
    """Drop nodes that are deregistered or expired, whatever their state. A swarm without nodes vanishes.

    Raises:
        LocalProtocolError: one is unknown.
    """
    return _without(membership, _each_once(nodes))


def settle(membership: Membership[Key], seed: int, rules: SwarmRules) -> Membership[Key]:
    """Assign the waiting nodes and mend the swarms, as a block with changes does.

    Args:
        membership: after the changes of the block.
        seed: of `seed_of_block`.
        rules: sizes and percentiles.

    Raises:
        LocalProtocolError: the seed has more than 64 bits.
    Source: transport 2.3; oxen-core: src/cryptonote_core/service_node_list.cpp: nodes are listed in order of
        key, so new ones come, and swarms are read, in that order.
    """
    swarms = reassign(membership.swarms, sorted(membership.waiting), seed, rules)
    for swarm in _differing(membership.swarms, swarms):
        if swarm in swarms:
            swarms[swarm] = tuple(sorted(swarms[swarm]))
    return replace(membership, swarms=swarms, waiting=frozenset())


@dataclass(frozen=True, slots=True)
class Changes(Generic[Node]):
    """What two maps of swarms differ by. Nodes with the swarm they come from and go to, ids ascending.

    Args:
        created, dissolved: swarm ids that appear and disappear.
        moved: node -> old and new swarm; only nodes that are in both maps.
        joined: node -> its swarm, of nodes only in the new map. left: of nodes only in the old one.
    """

    created: tuple[int, ...]
    dissolved: tuple[int, ...]
    moved: Mapping[Node, tuple[int, int]]
    joined: Mapping[Node, int]
    left: Mapping[Node, int]


def changes(before: Mapping[int, Sequence[Node]], after: Mapping[int, Sequence[Node]]) -> Changes[Node]:
    """Compare two maps of swarms; swarms that are one object in both cost next to nothing."""
    differing = _differing(before, after)
    old = {node: swarm for swarm in differing for node in before.get(swarm, ())}
    new = {node: swarm for swarm in differing for node in after.get(swarm, ())}
    return Changes(
        created=tuple(swarm for swarm in differing if swarm not in before),
        dissolved=tuple(swarm for swarm in differing if swarm not in after),
        moved={node: (old[node], swarm) for node, swarm in new.items() if old.get(node, swarm) != swarm},
        joined={node: swarm for node, swarm in new.items() if node not in old},
        left={node: swarm for node, swarm in old.items() if node not in new},
    )


def _differing(before: Mapping[int, Sequence[Node]], after: Mapping[int, Sequence[Node]]) -> list[int]:
    """List the swarms that are not one object in both maps (the others are surely equal), ids ascending."""
    changed = compress(after, map(is_not, map(before.get, after), after.values()))
    return sorted({*changed, *(before.keys() - after.keys())})


def _each_once(nodes: Iterable[Key]) -> frozenset[Key]:
    listed = list(nodes)
    once = frozenset(listed)
    if len(once) != len(listed):
        raise LocalProtocolError("a node is named twice")
    return once


def _without(membership: Membership[Key], gone: frozenset[Key]) -> Membership[Key]:
    """Take nodes out of every state. Raises LocalProtocolError: one is in none."""
    apart = gone.isdisjoint
    found = len(gone & membership.waiting) + len(gone & membership.decommissioned)
    swarms = dict(membership.swarms)
    for swarm, nodes in membership.swarms.items():
        if not apart(nodes):
            kept = tuple(node for node in nodes if node not in gone)
            found += len(nodes) - len(kept)
            if kept:
                swarms[swarm] = kept
            else:
                del swarms[swarm]
    if found != len(gone):
        raise LocalProtocolError("a node is unknown")
    return Membership(swarms, membership.waiting - gone, membership.decommissioned - gone)
