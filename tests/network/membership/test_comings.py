"""Who comes, leaves and is off: rates against their laws, lists against their differences."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import ABSENT
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN
from sessionsim.network.faults.plan import FOREVER_US, Answer, Plan, Turn, What
from sessionsim.network.membership.comings import (
    Coming,
    Outage,
    events_at_rates,
    events_of_lists,
    long_outages,
    merged,
    outages_of,
)
from sessionsim.network.membership.roster import FIRST_NEW_NODE, Roster, make_roster
from sessionsim.network.membership.rules import MembershipRules
from sessionsim.network.membership.times import join_times, poisson_times
from sessionsim.network.snapshots import load_snapshot

SEEDS = Seeds(5)
RATES, REPLAY = MembershipRules(mode="rates"), MembershipRules(mode="replay")
LISTED = replace(REPLAY, assignment="listed")
APRIL_8, APRIL_28 = load_snapshot("2026-04-08"), load_snapshot("2026-04-28")
SMALL = load_snapshot("2026-04-08", limit_swarms=4)


def test_times_are_a_poisson_process_of_their_own_name() -> None:
    found = [len(poisson_times(Seeds(k), "joins", 4.0, 5 * US_PER_DAY)) for k in range(400)]
    assert np.mean(found) == pytest.approx(20, abs=4 * (20 / 400) ** 0.5)
    assert np.var(found) == pytest.approx(20, rel=0.3)
    times = poisson_times(SEEDS, "joins", 4.0, 5 * US_PER_DAY)
    assert times == sorted(times)
    assert times != poisson_times(SEEDS, "leaves", 4.0, 5 * US_PER_DAY)
    assert poisson_times(SEEDS, "joins", 0.0, US_PER_DAY) == []
    # A longer run sees the same beginning.
    assert poisson_times(SEEDS, "joins", 4.0, 9 * US_PER_DAY)[: len(times)] == times


def test_at_rates_newcomers_stand_on_hosts_of_the_start_with_ports_of_their_own() -> None:
    rules = replace(RATES, joins_prob=1.0)
    roster = make_roster(SMALL, rules, SEEDS, US_PER_DAY)
    joins = join_times(rules, len(SMALL), SEEDS, US_PER_DAY)
    new = len(roster.snapshot) - len(SMALL)
    assert new == len(joins) > 5
    assert roster.first_new == len(SMALL)
    snapshot = roster.snapshot
    assert snapshot.node[-new:] == tuple(range(FIRST_NEW_NODE, FIRST_NEW_NODE + new))
    assert set(snapshot.swarm[-new:]) == {ABSENT}
    assert len(set(zip(snapshot.ip, snapshot.port, strict=True))) == len(snapshot)
    facts = list(zip(snapshot.host, snapshot.net24, snapshot.country, snapshot.ip, strict=True))
    assert set(facts[len(SMALL) :]) <= set(facts[: len(SMALL)])


def test_at_rates_each_newcomer_joins_once_and_leavers_are_drawn_when_they_leave() -> None:
    rules = replace(RATES, joins_prob=0.5, leaves_prob=0.5)
    horizon = 10 * US_PER_DAY
    roster = make_roster(SMALL, rules, SEEDS, horizon)
    events = list(events_at_rates(rules, roster, SEEDS, horizon))
    joins = [event.node for event in events if event.what == Coming.JOINS]
    assert joins == list(range(len(SMALL), len(roster.snapshot)))
    leaves = [event for event in events if event.what == Coming.LEAVES]
    assert {event.node for event in leaves} == {-1}
    assert len({event.value for event in leaves}) == len(leaves) > 50
    assert Counter(event.what for event in events).keys() == {Coming.JOINS, Coming.LEAVES}


def test_a_replay_knows_every_node_of_the_lists_it_reaches() -> None:
    roster = make_roster(APRIL_8, REPLAY, SEEDS, 3 * US_PER_DAY)
    assert [height for height, _ in roster.later] == [APRIL_28.height]
    assert roster.snapshot.node[: len(APRIL_8)] == APRIL_8.node
    assert set(roster.snapshot.node) == set(APRIL_8.node) | set(APRIL_28.node)
    later = {
        node: swarm
        for node, swarm in zip(roster.snapshot.node, roster.later[0][1], strict=True)
        if swarm != ABSENT
    }
    assert later == dict(zip(APRIL_28.node, APRIL_28.swarm, strict=True))
    whole = make_roster(load_snapshot("2026-02-27"), REPLAY, SEEDS, 70 * US_PER_DAY)
    assert len(whole.later) == 7
    # A short run looks no further than the next list.
    assert len(make_roster(load_snapshot("2026-02-27"), REPLAY, SEEDS, US_PER_H).later) == 1
    assert make_roster(APRIL_28, REPLAY, SEEDS, US_PER_DAY) == Roster(APRIL_28, len(APRIL_28))


def test_the_lists_differ_by_23_or_18_arrivals_and_309_departures_in_april() -> None:
    # client-behaviour 7.2: 18 added, 309 removed, 267 moved.
    roster = make_roster(APRIL_8, REPLAY, SEEDS, 20 * US_PER_DAY)
    events = list(events_of_lists(REPLAY, roster, SEEDS))
    assert Counter(event.what for event in events) == {Coming.JOINS: 18, Coming.LEAVES: 309}
    span = (APRIL_28.height - APRIL_8.height) * 2 * US_PER_MIN
    times = np.array([event.t_us for event in events])
    assert 0 <= times.min() < times.max() < span
    assert times.mean() == pytest.approx(span / 2, abs=4 * span / (12 * len(times)) ** 0.5)
    listed = Counter(event.what for event in events_of_lists(LISTED, roster, SEEDS))
    assert listed == {Coming.LEAVES: 309, Coming.MOVES: 267 + 18}


def test_a_dissolved_swarm_goes_in_one_block_when_the_lists_are_followed() -> None:
    roster = make_roster(APRIL_8, LISTED, SEEDS, 20 * US_PER_DAY)
    gone = set(APRIL_8.swarm) - set(APRIL_28.swarm)
    assert len(gone) == 13
    times: dict[int, set[int]] = {}
    for event in events_of_lists(LISTED, roster, SEEDS):
        if event.what == Coming.MOVES and event.node < len(APRIL_8) and APRIL_8.swarm[event.node] in gone:
            times.setdefault(APRIL_8.swarm[event.node], set()).add(event.t_us)
    assert set(map(len, times.values())) == {1}
    assert len(set().union(*times.values())) == len(times)


def test_with_few_swarms_only_their_nodes_come_and_go() -> None:
    roster = make_roster(SMALL, REPLAY, SEEDS, 20 * US_PER_DAY)
    events = list(events_of_lists(REPLAY, roster, SEEDS))
    left = {roster.snapshot.node[event.node] for event in events if event.what == Coming.LEAVES}
    assert left == set(SMALL.node) - set(APRIL_28.node)
    came = {roster.snapshot.node[event.node] for event in events if event.what == Coming.JOINS}
    kept = set(SMALL.swarm)
    listed = dict(zip(APRIL_28.node, APRIL_28.swarm, strict=True))
    assert came == {node for node in set(listed) - set(APRIL_8.node) if listed[node] in kept}
    moves = [event for event in events_of_lists(LISTED, roster, SEEDS) if event.what == Coming.MOVES]
    assert {event.value for event in moves} <= kept


def test_long_outages_outlast_the_limit_and_come_at_the_rate_told() -> None:
    rules = replace(RATES, outages_prob=0.1, outage_us=5 * US_PER_H)
    roster = Roster(SMALL, len(SMALL))
    found = [long_outages(rules, roster, US_PER_H, Seeds(k), 10 * US_PER_DAY) for k in range(60)]
    expected = 0.1 * len(SMALL) * 10
    assert np.mean(list(map(len, found))) == pytest.approx(expected, abs=4 * (expected / 60) ** 0.5)
    lengths = np.array([one.end_us - one.begin_us for outages in found for one in outages])
    assert lengths.min() >= US_PER_H
    assert (lengths - US_PER_H).mean() == pytest.approx(5 * US_PER_H, rel=0.1)
    assert long_outages(MembershipRules(), roster, US_PER_H, SEEDS, 10 * US_PER_DAY) == []


def test_crashes_of_a_plan_are_outages_and_overlapping_ones_are_one() -> None:
    turns = (
        Turn(5, 1, What.CRASHES, Answer.SILENT), Turn(7, 1, What.CRASHES, Answer.SILENT),
        Turn(8, 2, What.HANGS, 20), Turn(9, 1, What.STARTS, False), Turn(12, 1, What.STARTS, False),
        Turn(15, 1, What.CRASHES, Answer.SILENT), Turn(16, 9, What.CRASHES, Answer.SILENT),
    )  # fmt: skip
    plan = Plan(turns, (), 100)
    assert outages_of(plan, 5) == [Outage(1, 5, 12), Outage(1, 15, FOREVER_US)]
    assert outages_of(None, 5) == []
    mixed = [Outage(2, 5, 9), Outage(1, 8, 9), Outage(1, 1, 4), Outage(1, 3, 8), Outage(1, 20, 21)]
    assert merged(mixed) == [Outage(1, 1, 9), Outage(1, 20, 21), Outage(2, 5, 9)]


def test_lists_can_be_followed_in_a_replay_only() -> None:
    with pytest.raises(InvalidInput, match="assignment"):
        MembershipRules(mode="rates", assignment="listed")


def test_in_a_replay_nobody_is_off_over_a_list() -> None:
    rules = replace(REPLAY, outages_prob=0.05, outage_us=20 * US_PER_H)
    start = load_snapshot("2026-03-26")
    roster = make_roster(start, rules, SEEDS, 20 * US_PER_DAY)
    dates = [(height - start.height) * 2 * US_PER_MIN for height, _ in roster.later]
    assert len(dates) == 4
    outages = long_outages(rules, roster, US_PER_H, SEEDS, 20 * US_PER_DAY)
    assert len(outages) > 500
    for outage in outages:
        assert not any(outage.begin_us < date < outage.end_us + 2 * US_PER_H for date in dates)
        assert outage.end_us - outage.begin_us >= US_PER_H
    rates = replace(rules, mode="rates")
    free = long_outages(rates, Roster(start, len(start)), US_PER_H, SEEDS, 20 * US_PER_DAY)
    assert any(outage.begin_us < date < outage.end_us for outage in free for date in dates)
