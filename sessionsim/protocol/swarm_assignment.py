"""Which node serves in which swarm: the rule of every block that changes the active nodes (transport 2.3).

    newcomers go to small swarms (and excess becomes new swarms, after each of them)
    starving swarms are fed by large ones: "Robin Hood"
    excess becomes new swarms
    swarms that still starve dissolve, their nodes go to the smallest ones

Pure functions on maps of swarm id to nodes; who is a newcomer is decided in `swarm_membership`, which swarm
serves an account in `swarms`.

Ties. The reference sorts swarms by size alone, so the C++ library decides how equal sizes stand. By default
they stand here as GNU's library leaves them (`size_order`); maps then agree node by node with a C++
restatement of the rule (`tests/vectors/swarm_assignment.json`). That order matters to more than names: see
there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import sub
from typing import Final, Generic, TypeVar

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.mersenne import Mersenne64
from sessionsim.protocol.size_order import positions
from sessionsim.protocol.swarm_rules import SwarmRules

# Swarm ids. Source: transport 2.1; oxen-core: src/cryptonote_core/service_node_swarm.h.
LARGEST_SWARM_ID: Final = (1 << 64) - 2

Node = TypeVar("Node")


def new_swarm_id(ids: Iterable[int]) -> int:
    """Give the id of the next swarm: the middle of the largest gap on the ring.

    Args:
        ids: the existing swarm ids, each once, 0..2^64-2, in any order.

    Returns:
        An id in 0..2^64-2; 0 if there is no swarm. Of equal gaps the first one is halved, and the gap across
        the wrap only if it is larger than all others.

    Source: transport 2.2; oxen-core: src/cryptonote_core/service_node_swarm.cpp get_new_swarm_id.
    """
    ring = sorted(ids)
    if not ring:
        return 0
    gaps: list[int] = list(map(sub, ring[1:], ring))
    gaps.append(LARGEST_SWARM_ID - ring[-1] + ring[0] + 1)  # 0 and the largest id are neighbours
    widest = max(gaps)
    return (ring[gaps.index(widest)] + widest // 2) % (LARGEST_SWARM_ID + 1)


def reassign(
    swarms: Mapping[int, Sequence[Node]],
    unassigned: Sequence[Node],
    seed: int,
    rules: SwarmRules,
) -> dict[int, tuple[Node, ...]]:
    """Give the map of swarms after a block that changed the active nodes.

    Args:
        swarms: id -> its nodes in order. No node stands in two places: not checked here.
        unassigned: newly active nodes in order.
        seed: the first eight bytes of the block hash as a little-endian number.
        rules: sizes and percentiles.

    Returns:
        id -> its nodes, ids ascending; empty if there are no swarms and no nodes. Nodes that moved stand at
        the end of their swarm. A swarm that did not change is the same tuple. With two or more swarms none
        has fewer nodes than the minimum.

    Raises:
        LocalProtocolError: an id or the seed is out of range.

    Doubt: the reference ends with an error when the last two swarms have fewer than five nodes together, for
    then it dissolves the only one left. Here the last swarm stays.
    Source: transport 2.3; oxen-core: src/cryptonote_core/service_node_swarm.cpp calc_swarm_changes.
    """
    if swarms and not 0 <= min(swarms) <= max(swarms) <= LARGEST_SWARM_ID:
        raise LocalProtocolError("a swarm id lies outside 0..2^64-2")
    if not swarms and not unassigned:
        return {}
    work = _Work(swarms or {new_swarm_id(()): ()}, Mersenne64(seed), rules)
    work.assign(unassigned, rules.fill_percentile)
    work.feed_the_starving()
    work.create_from_excess()
    work.dissolve_the_starving()
    return work.members


class _Work(Generic[Node]):
    """A map of swarms while it changes. Args: as of `reassign`; chance: its generator."""

    def __init__(self, swarms: Mapping[int, Sequence[Node]], chance: Mersenne64, rules: SwarmRules) -> None:
        self._rules, self._chance = rules, chance
        self._load(swarms)

    def assign(self, nodes: Iterable[Node], percentile: int) -> None:
        """Put each node into a random one of the swarms up to a percentile of sizes."""
        for node in nodes:
            sizes = sorted(self._sizes.values())
            limit = sizes[percentile * (len(sizes) - 1) // 100]
            at = self._chance.below(bisect_right(sizes, limit))
            self._give(self._by_size(at, at + 1)[0], node)
            self.create_from_excess()

    def feed_the_starving(self) -> None:
        """Let swarms with too few nodes take from large ones, until one cannot be saved."""
        sizes, minimum = self._sizes, self._rules.minimum
        if min(sizes.values()) >= minimum:
            return
        # As of before the first theft. In 64 bits, as the reference counts: an empty swarm less 1 is huge.
        snapshot = sorted(sizes.values())
        rich = snapshot[self._rules.steal_percentile * (len(snapshot) - 1) // 100]
        limit = max(minimum, (rich - 1) % (1 << 64))
        for swarm in self._by_size(0, bisect_left(snapshot, minimum)):
            while (lacking := minimum - sizes[swarm]) > 0:
                if sum(size - minimum for size in sizes.values() if size > limit) < lacking:
                    return
                self._give(swarm, self._take(limit))

    def create_from_excess(self) -> None:
        """Make new swarms as long as the others keep their margin; none while a swarm starves."""
        rules = self._rules
        while self._excess() >= rules.new_size + rules.margin * len(self._sizes):
            if min(self._sizes.values()) < rules.minimum:
                return
            nodes = tuple(self._take(rules.excess_base) for _ in range(rules.new_size))
            self._load({**self.members, new_swarm_id(self.members): nodes})

    def dissolve_the_starving(self) -> None:
        """Dissolve swarms with too few nodes, lowest id first, but never the last swarm."""
        minimum = self._rules.minimum
        while len(self._sizes) > 1 and min(self._sizes.values()) < minimum:
            swarm = next(swarm for swarm, size in self._sizes.items() if size < minimum)
            del self._sizes[swarm]
            self.assign(self.members.pop(swarm), self._rules.dissolve_percentile)

    def _load(self, swarms: Mapping[int, Sequence[Node]]) -> None:
        # Both in order of id.
        ids = sorted(swarms)
        self.members = dict(zip(ids, map(tuple, map(swarms.__getitem__, ids)), strict=True))
        self._sizes = dict(zip(ids, map(len, self.members.values()), strict=True))

    def _by_size(self, low: int, high: int) -> list[int]:
        """List the swarms at positions low to high-1 of all, sorted by size."""
        if self._rules.tie_order == "id":
            return sorted(self._sizes, key=self._sizes.__getitem__)[low:high]
        ids = list(self._sizes)
        return [ids[at] for at in positions(list(self._sizes.values()), low, high)]

    def _excess(self) -> int:
        base = self._rules.excess_base
        return sum([size - base for size in self._sizes.values() if size > base])

    def _give(self, swarm: int, node: Node) -> None:
        self.members[swarm] += (node,)
        self._sizes[swarm] += 1

    def _take(self, limit: int) -> Node:
        """Take a random one of all nodes that stand in swarms of more than `limit` nodes."""
        large = [swarm for swarm, size in self._sizes.items() if size > limit]
        ends = list(accumulate([self._sizes[swarm] for swarm in large]))
        drawn = self._chance.below(ends[-1])
        which = bisect_right(ends, drawn)
        swarm = large[which]
        nodes = self.members[swarm]
        at = drawn - ends[which] + len(nodes)
        self.members[swarm] = nodes[:at] + nodes[at + 1 :]
        self._sizes[swarm] -= 1
        return nodes[at]
