"""Who comes, leaves or moves when: at rates, or as two dated lists differ. And who is off for long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from sessionsim.core.nodelist import ABSENT
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_H
from sessionsim.network.faults.plan import FOREVER_US, Plan, What
from sessionsim.network.membership.roster import Roster
from sessionsim.network.membership.rules import MembershipRules
from sessionsim.network.membership.times import join_times, poisson_times

_VOTES_US: Final = 2 * US_PER_H  # Assumption: nine of ten nodes that work again are voted back within this


class Coming(IntEnum):
    """What happens to a node. In one block in this order."""

    LEAVES = 0
    GOES_OUT = 1  # decommissioned
    COMES_BACK = 2  # recommissioned
    JOINS = 3
    MOVES = 4  # into a swarm, from another or from none: as the lists have it


class Event(NamedTuple):
    """Something that a block does.

    Args:
        t_us: not before this time.
        node: endpoint; −1 for one of those that are there, chosen by `value`.
        value: of MOVES the swarm; of LEAVES a number in 0..2^64−1.
    """

    t_us: int
    what: Coming
    node: int
    value: int = 0


class Outage(NamedTuple):
    """A spell in which nobody reaches a node."""

    node: int
    begin_us: int
    end_us: int


def events_at_rates(rules: MembershipRules, roster: Roster, seeds: Seeds, horizon_us: int) -> Iterator[Event]:
    """Give what comes and leaves at rates."""
    for number, t_us in enumerate(join_times(rules, roster.first_new, seeds, horizon_us)):
        yield Event(t_us, Coming.JOINS, roster.first_new + number)
    leaves = poisson_times(seeds, "leaves", rules.leaves_prob * roster.first_new, horizon_us)
    for number, t_us in enumerate(leaves):
        yield Event(t_us, Coming.LEAVES, -1, seeds.address("membership", "leaver", number))


def events_of_lists(rules: MembershipRules, roster: Roster, seeds: Seeds) -> Iterator[Event]:
    """Give what the dated lists differ by, each difference at a random time between them.

    A swarm that is gone in the next list dissolves in one block, and one that is new comes up in one.
    """
    first = roster.snapshot
    height, before = first.height, tuple(first.swarm)
    kept = frozenset(first.swarm[: roster.first_new])
    whole = roster.later and frozenset(roster.later[0][1][: roster.first_new]) - {ABSENT} <= kept
    for number, (next_height, after) in enumerate(roster.later):
        begin_us = (height - first.height) * rules.block_us
        span_us = (next_height - height) * rules.block_us
        if rules.assignment == "listed" and not whole:
            after = tuple(swarm if swarm in kept else ABSENT for swarm in after)
        gone, new = set(before) - set(after), set(after) - set(before)
        for node, (old, own) in enumerate(zip(before, after, strict=True)):
            if old == own or (rules.assignment == "algorithm" and ABSENT not in (old, own)):
                continue
            together: tuple[object, ...] = ("node", node)
            if rules.assignment == "listed" and own in new:
                together = ("new", own)
            elif rules.assignment == "listed" and old in gone and own != ABSENT:
                together = ("gone", old)
            share = seeds.address("membership", "list", number, *map(str, together)) / 2**64
            t_us = begin_us + int(share * span_us)
            if own == ABSENT:
                yield Event(t_us, Coming.LEAVES, node)
            elif rules.assignment == "listed":
                yield Event(t_us, Coming.MOVES, node, own)
            else:
                yield Event(t_us, Coming.JOINS, node)
        height, before = next_height, after


def long_outages(
    rules: MembershipRules, roster: Roster, least_us: int, seeds: Seeds, horizon_us: int
) -> list[Outage]:
    """Draw the outages that last at least as long as it takes to be noticed; in a replay, none over a list.

    Args:
        least_us: that time.
    """
    if rules.mode == "still":
        return []
    count = len(roster.snapshot)
    times = poisson_times(seeds, "outages", rules.outages_prob * count, horizon_us)
    dates_us = [(height - roster.snapshot.height) * rules.block_us for height, _ in roster.later]
    found = []
    for number, t_us in enumerate(times):
        chance = seeds.stream("membership", "outage", number)
        node = int(chance.integers(count))
        end_us = t_us + least_us + int(chance.exponential(rules.outage_us))
        for date_us in dates_us:
            if t_us < date_us:
                # The lists name nodes that serve: who is on the next one was back in time to be voted on.
                end_us = min(end_us, max(date_us - _VOTES_US, t_us))
        if end_us >= t_us + least_us:
            found.append(Outage(node, t_us, end_us))
    return found


def outages_of(plan: Plan | None, n_nodes: int) -> list[Outage]:
    """Read the outages out of a plan of faults."""
    found, begun, depth = list[Outage](), dict[int, int](), dict[int, int]()
    for turn in plan.turns if plan is not None else ():
        node = turn.endpoint
        if turn.what not in (What.CRASHES, What.STARTS) or node >= n_nodes:
            continue
        before = depth.get(node, 0)
        depth[node] = before + (1 if turn.what == What.CRASHES else -1)
        if before == 0:
            begun[node] = turn.t_us
        elif depth[node] == 0:
            found.append(Outage(node, begun.pop(node), turn.t_us))
    return found + [Outage(node, begin_us, FOREVER_US) for node, begin_us in begun.items()]


def merged(outages: Iterable[Outage]) -> list[Outage]:
    """Join outages of one node that overlap, in order of node and time."""
    found: list[Outage] = []
    for outage in sorted(outages):
        last = found[-1] if found else None
        if last is not None and last.node == outage.node and outage.begin_us <= last.end_us:
            found[-1] = last._replace(end_us=max(last.end_us, outage.end_us))
        else:
            found.append(outage)
    return found
