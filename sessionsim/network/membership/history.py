"""The blocks that change the set of active nodes or their swarms, and what happens to machines because of it.

Each block applies what is due, lets the assignment of the real network settle the swarms, and gives the node
list that everybody learns. Blocks that change nothing are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sessionsim.core.nodelist import ABSENT, UNASSIGNED, NodeList
from sessionsim.core.seeds import Seeds, mix
from sessionsim.network.faults.plan import Answer, Plan, Turn, What
from sessionsim.network.host import Host
from sessionsim.network.membership.comings import (
    Coming,
    Event,
    Outage,
    events_at_rates,
    events_of_lists,
    long_outages,
    merged,
    outages_of,
)
from sessionsim.network.membership.roster import Roster
from sessionsim.network.membership.rules import MembershipRules
from sessionsim.protocol.obligations import ObligationRules, verdicts
from sessionsim.protocol.swarm_membership import (
    Changes,
    Membership,
    changes,
    decommission,
    recommission,
    register,
    remove,
    seed_of_block,
    settle,
)
from sessionsim.protocol.swarm_rules import SwarmRules


@dataclass(frozen=True, slots=True)
class Block:
    """One block that changes something. Args: nodes: the list from then on; changed: what it changed."""

    t_us: int
    height: int
    nodes: NodeList
    changed: Changes[int]


@dataclass(frozen=True, slots=True)
class History:
    """What a run goes through. Args: turns: machines that go off and on because of it."""

    blocks: tuple[Block, ...]
    turns: tuple[Turn, ...]

    def absent_at_end(self) -> frozenset[int]:
        """Give the nodes that are not registered after the last block."""
        if not self.blocks:
            return frozenset()
        return frozenset(node for node, swarm in enumerate(self.blocks[-1].nodes.swarm) if swarm == ABSENT)


def compile_history(
    first: NodeList,
    roster: Roster,
    rules: MembershipRules,
    swarm_rules: SwarmRules,
    obligations: ObligationRules,
    seeds: Seeds,
    horizon_us: int,
    plan: Plan | None = None,
) -> History:
    """Let the membership of a run pass.

    Args:
        first: the list at the start, of all nodes of the roster.
        roster: who there is.
        rules, swarm_rules, obligations: how nodes come and go, and what the network makes of it.
        seeds: of the replicate.
        horizon_us: end of the run.
        plan: declared faults; nodes that crash for long are taken out like others.
    """
    if rules.mode == "still":
        return History((), ())
    own = long_outages(rules, roster, obligations.unreachable_us, seeds, horizon_us)
    outages = merged([*own, *outages_of(plan, len(first))])
    if rules.mode == "rates":
        events = [*events_at_rates(rules, roster, seeds, horizon_us)]
    else:
        events = [*events_of_lists(rules, roster, seeds)]
    if rules.assignment == "algorithm":
        events += _votes(outages, len(first.active), rules, obligations, seeds)
    chain = _Chain(first, roster.snapshot.height, rules, swarm_rules, seeds)
    events.sort(key=lambda event: _order(event, rules))
    for block, due in groupby(events, lambda event: _block(event, rules)):
        if block * rules.block_us < horizon_us:
            chain.add(block, due)
    answer = Answer.SILENT if rules.outage_answer == "silent" else Answer.REFUSED
    turns = [turn for outage in own for turn in _off(outage, answer)]
    turns += _presence(first, chain.presence, rules.lingers_us, answer)
    return History(tuple(chain.blocks), tuple(turns))


def _block(event: Event, rules: MembershipRules) -> int:
    """Give the block that takes an event up: the first at or after its time, but not that of the start."""
    return max(1, -(-event.t_us // rules.block_us))


def _order(event: Event, rules: MembershipRules) -> tuple[int, int, int, int]:
    return _block(event, rules), event.what, event.node, event.value


def _votes(
    outages: Iterable[Outage], count: int, rules: MembershipRules, obligations: ObligationRules, seeds: Seeds
) -> Iterable[Event]:
    """Let quorums judge the nodes that are off."""
    for node, group in groupby(outages, lambda outage: outage.node):
        for number, outage in enumerate(group):
            draws = 1 - seeds.stream("membership", "votes", node, number).random(2)
            found = verdicts(
                outage.begin_us, outage.end_us, rules.block_us, count, obligations, *draws.tolist()
            )
            if found is None:
                continue
            yield Event(found.out * rules.block_us, Coming.GOES_OUT, node)
            if found.back is not None:
                yield Event(found.back * rules.block_us, Coming.COMES_BACK, node)
            elif found.removed is not None:
                yield Event(found.removed * rules.block_us, Coming.LEAVES, node)


def _off(outage: Outage, answer: Answer) -> tuple[Turn, Turn]:
    return (
        Turn(outage.begin_us, outage.node, What.CRASHES, answer),
        Turn(outage.end_us, outage.node, What.STARTS, False),
    )


def _presence(
    first: NodeList, presence: Iterable[tuple[int, int, bool]], lingers_us: int, answer: Answer
) -> Iterable[Turn]:
    """Switch newcomers on when they join, and nodes that have left off after a while.

    Args:
        presence: when which node joined (True) or left, in order of time.
    """
    off_us = {node: 0 for node, swarm in enumerate(first.swarm) if swarm == ABSENT}
    for t_us, node, joined in presence:
        if not joined:
            off_us[node] = t_us + lingers_us
            continue
        since_us = off_us.pop(node, t_us)
        if since_us < t_us:
            yield Turn(since_us, node, What.CRASHES, answer)
            yield Turn(t_us, node, What.STARTS, False)
    for node, since_us in off_us.items():
        yield Turn(since_us, node, What.CRASHES, answer)


class _Chain:
    """The membership as blocks pass. Args: height: of the start."""

    def __init__(
        self, first: NodeList, height: int, rules: MembershipRules, swarm_rules: SwarmRules, seeds: Seeds
    ) -> None:
        self._first, self._height, self._rules = first, height, rules
        self._swarm_rules, self._seeds = swarm_rules, seeds
        self._membership: Membership[int] = Membership(first.members)
        self.blocks: list[Block] = []
        self.presence: list[tuple[int, int, bool]] = []

    def add(self, block: int, due: Iterable[Event]) -> None:
        """Make one block of the events that are due."""
        before, t_us = self._membership, block * self._rules.block_us
        for event in due:
            self._apply(event, t_us)
        if self._membership is before:
            return
        height = self._height + block
        if self._rules.assignment == "algorithm":
            seed = seed_of_block(self._seeds.key("block", height))
            self._membership = settle(self._membership, seed, self._swarm_rules)
        changed = changes(before.swarms, self._membership.swarms)
        self.blocks.append(Block(t_us, height, self._list(), changed))

    def _apply(self, event: Event, t_us: int) -> None:
        """Carry out an event, if it still makes sense."""
        what, node, now = event.what, event.node, self._membership
        if what == Coming.LEAVES:
            if node < 0:
                there = sorted(n for nodes in now.swarms.values() for n in nodes)
                # A network of one smallest swarm does not shrink further.
                if len(there) <= self._swarm_rules.minimum:
                    return
                node = there[event.value * len(there) >> 64]
            if self._is_known(node):
                self._membership = remove(now, [node])
                self.presence.append((t_us, node, False))
        elif what == Coming.JOINS:
            if not self._is_known(node):
                self._membership = register(now, [node])
                self.presence.append((t_us, node, True))
        elif what == Coming.MOVES:
            self._move(node, event.value, t_us)
        elif what == Coming.GOES_OUT:
            if any(node in nodes for nodes in now.swarms.values()):
                self._membership = decommission(now, [node])
        elif node in now.decommissioned:
            self._membership = recommission(now, [node])

    def _is_known(self, node: int) -> bool:
        now = self._membership
        if node in now.waiting or node in now.decommissioned:
            return True
        return any(node in nodes for nodes in now.swarms.values())

    def _move(self, node: int, swarm: int, t_us: int) -> None:
        if not self._is_known(node):
            self.presence.append((t_us, node, True))
        swarms = {one: tuple(n for n in nodes if n != node) for one, nodes in self._membership.swarms.items()}
        swarms[swarm] = tuple(sorted((*swarms.get(swarm, ()), node)))
        self._membership = Membership({one: swarms[one] for one in sorted(swarms) if swarms[one]})

    def _list(self) -> NodeList:
        swarm = [ABSENT] * len(self._first)
        for node in self._membership.waiting | self._membership.decommissioned:
            swarm[node] = UNASSIGNED
        for one, nodes in self._membership.swarms.items():
            for node in nodes:
                swarm[node] = one
        return replace(self._first, swarm=tuple(swarm))


def tell_nodes(
    host: Host, history: History, rules: MembershipRules, seeds: Seeds, others: Sequence[int] = ()
) -> None:
    """Let every registered node learn of each block, at a moment of its own soon after it.

    Args:
        others: further endpoints that follow the blockchain.
    """
    for block in history.blocks:
        name = seeds.address("block", block.height)
        host.at(block.t_us, _Telling(host, block, others, rules.spread_us, name))


class _Telling:
    """What one block makes the host do. Args: spread_us, name: when each node learns of it."""

    def __init__(self, host: Host, block: Block, others: Sequence[int], spread_us: int, name: int) -> None:
        self._host, self._block, self._others = host, block, others
        self._spread_us, self._name = spread_us, name

    def __call__(self, now_us: int) -> None:
        nodes = self._block.nodes
        told = {*nodes.index.values(), *self._block.changed.left, *self._others}
        for node in sorted(told):
            later_us = mix(self._name, node) * self._spread_us >> 64
            self._host.command(now_us + later_us, node, ("swarms", nodes, self._block.height))
