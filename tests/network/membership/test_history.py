"""Blocks of a small network: what is applied when, and which machines are off because of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.nodelist import ABSENT, UNASSIGNED, NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import no_events
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN
from sessionsim.network.faults.plan import Answer, Plan, Turn, What
from sessionsim.network.host import Host
from sessionsim.network.kernels import HeapKernel
from sessionsim.network.links import LinkRules, Links
from sessionsim.network.membership import (
    History,
    MembershipRules,
    compile_history,
    make_roster,
    tell_nodes,
    with_blocks,
)
from sessionsim.network.membership.comings import Coming, Event
from sessionsim.network.membership.history import _block, _presence
from sessionsim.network.snapshots import build_nodes, load_snapshot
from sessionsim.network.wire_sizes import WireRules, WireSizes
from sessionsim.protocol.obligations import ObligationRules
from sessionsim.protocol.swarm_membership import changes
from sessionsim.protocol.swarm_rules import SwarmRules

QUIET = MembershipRules(mode="rates", joins_prob=0.0, leaves_prob=0.0, outages_prob=0.0)
START = load_snapshot("2026-04-08", limit_swarms=6)
BLOCK = 2 * US_PER_MIN


def passed(
    rules: MembershipRules, *, seed: int = 3, days: float = 10, plan: Plan | None = None, start: Any = START
) -> tuple[NodeList, History]:
    seeds, horizon = Seeds(seed), int(days * US_PER_DAY)
    roster = make_roster(start, rules, seeds, horizon)
    nodes = build_nodes(roster.snapshot, seeds)[0]
    made = compile_history(
        nodes, roster, rules, SwarmRules(), ObligationRules(tested_share_prob=1.0), seeds, horizon, plan
    )
    return nodes, made


def test_where_nobody_comes_or_goes_there_is_no_block_and_no_turn() -> None:
    assert passed(MembershipRules())[1] == History((), ())
    assert passed(QUIET)[1] == History((), ())


def test_blocks_stand_on_the_grid_and_continue_one_another() -> None:
    nodes, history = passed(replace(QUIET, joins_prob=0.2, leaves_prob=0.2, outages_prob=0.2))
    assert len(history.blocks) > 20
    before = nodes
    for block in history.blocks:
        assert block.t_us % BLOCK == 0
        assert block.height == START.height + block.t_us // BLOCK
        assert block.changed == changes(before.members, block.nodes.members)
        assert min(map(len, block.nodes.members.values())) >= 5
        before = block.nodes
    times = [block.t_us for block in history.blocks]
    assert times == sorted(set(times))
    assert times[0] > 0


def test_the_same_seed_gives_the_same_history_and_another_another() -> None:
    rules = replace(QUIET, joins_prob=0.2, leaves_prob=0.2, outages_prob=0.2)
    assert passed(rules) == passed(rules)
    assert passed(rules)[1] != passed(rules, seed=4)[1]


def test_newcomers_are_off_until_they_join_and_leavers_soon_after() -> None:
    nodes, history = passed(replace(QUIET, joins_prob=0.1, leaves_prob=0.1, lingers_us=3 * US_PER_H))
    new = [node for node, swarm in enumerate(nodes.swarm) if swarm == ABSENT]
    joined = {node: block.t_us for block in history.blocks for node in block.changed.joined}
    left = {node: block.t_us for block in history.blocks for node in block.changed.left}
    assert new
    assert left
    for node in new:
        turns = [turn for turn in history.turns if turn.endpoint == node]
        assert turns[0] == Turn(0, node, What.CRASHES, Answer.SILENT)
        assert turns[1] == Turn(joined[node], node, What.STARTS, False)
    for node, t_us in left.items():
        assert Turn(t_us + 3 * US_PER_H, node, What.CRASHES, Answer.SILENT) in history.turns
    final = history.blocks[-1].nodes
    assert all(final.swarm[node] == ABSENT for node in left)
    assert all(nodes.ed25519[node] not in final.index for node in left)


def test_a_node_that_is_off_is_taken_out_and_brought_back() -> None:
    off = Turn(10 * US_PER_MIN, 7, What.CRASHES, Answer.SILENT)
    on = Turn(200 * US_PER_MIN, 7, What.STARTS, False)
    nodes, history = passed(QUIET, plan=Plan((off, on), (), 10 * US_PER_DAY))
    out, back = history.blocks
    assert (out.t_us, back.t_us) == (76 * US_PER_MIN, 200 * US_PER_MIN)
    assert out.nodes.swarm[7] == UNASSIGNED
    assert nodes.ed25519[7] in out.nodes.index  # it is known, and can be reached in vain
    assert 7 in out.changed.left
    assert back.nodes.swarm_of(7) is not None
    assert history.turns == ()  # the crash itself is the plan's affair


def test_a_node_that_stays_off_is_removed_when_its_credit_is_used_up() -> None:
    crash = Turn(10 * US_PER_MIN, 7, What.CRASHES, Answer.SILENT)
    _, history = passed(QUIET, plan=Plan((crash,), (), 10 * US_PER_DAY))
    out, removed = history.blocks
    assert removed.t_us - out.t_us == 48 * US_PER_H
    assert removed.nodes.swarm[7] == ABSENT


def test_long_outages_switch_machines_off_and_on() -> None:
    _, history = passed(replace(QUIET, outages_prob=0.3, outage_answer="refused"), days=4)
    crashes = [turn for turn in history.turns if turn.what == What.CRASHES]
    assert {turn.value for turn in crashes} == {Answer.REFUSED}
    assert len(crashes) > 5
    for crash in crashes:
        after = [t for t in history.turns if t.endpoint == crash.endpoint and t.t_us > crash.t_us]
        assert after[0].what == What.STARTS
        assert after[0].t_us - crash.t_us >= 65 * US_PER_MIN


def test_who_leaves_and_comes_back_is_off_in_between_only() -> None:
    first = NodeList((b"a", b"b"), (b"a", b"b"), (5, ABSENT), (1, 2), (3, 4))
    presence = [(100, 0, False), (300, 1, True), (500, 0, True), (700, 1, False)]

    def turns(lingers_us: int) -> Sequence[Turn]:
        made = _presence(first, presence, lingers_us, Answer.SILENT)
        return sorted(made, key=lambda turn: (turn.endpoint, turn.t_us))

    assert turns(50) == [
        Turn(150, 0, What.CRASHES, Answer.SILENT), Turn(500, 0, What.STARTS, False),
        Turn(0, 1, What.CRASHES, Answer.SILENT), Turn(300, 1, What.STARTS, False),
        Turn(750, 1, What.CRASHES, Answer.SILENT),
    ]  # fmt: skip
    # Who is back before it was switched off stays on.
    assert turns(400)[0].endpoint == 1


def test_a_network_is_not_emptied() -> None:
    _, history = passed(replace(QUIET, leaves_prob=1.0), days=30)
    assert len(history.blocks[-1].nodes.active) == 5
    assert len(history.blocks[-1].nodes.members) == 1


def test_the_lists_are_met_when_they_are_followed() -> None:
    rules = MembershipRules(mode="replay", assignment="listed", outages_prob=0.0)
    start, end = load_snapshot("2026-04-01"), load_snapshot("2026-04-08")
    days = (end.height - start.height) / 720
    _, history = passed(rules, days=days, start=start)
    final = history.blocks[-1].nodes
    roster = make_roster(start, rules, Seeds(3), int(days * US_PER_DAY))
    found = {
        node: swarm for node, swarm in zip(roster.snapshot.node, final.swarm, strict=True) if swarm != ABSENT
    }
    assert found == dict(zip(end.node, end.swarm, strict=True))


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, Any, int]] = []

    def start(self, now_us: int) -> Any:
        return ()

    def command(self, command: tuple[Any, ...], now_us: int) -> Any:
        assert command[0] == "swarms"
        self.told.append((now_us, command[1], command[2]))
        return ()


@pytest.mark.parametrize("spread_us", [0, 5_000_000])
def test_every_registered_node_and_every_leaver_learns_of_each_block(spread_us: int) -> None:
    rules = replace(QUIET, joins_prob=0.1, leaves_prob=0.1, spread_us=spread_us)
    nodes, history = passed(rules)
    listeners = [Listener() for _ in range(len(nodes) + 1)]
    count = len(listeners)
    links = Links([3] * count, [0] * count, [0] * count, LinkRules())
    host = Host(
        listeners, len(nodes), [0] * count, links, WireSizes(WireRules()), bytes(count), HeapKernel(), None
    )
    tell_nodes(host, history, rules, Seeds(3), (len(nodes),))
    host.start()
    host.run(10 * US_PER_DAY)
    for node, listener in enumerate(listeners):
        expected = [
            (block.nodes, block.height)
            for block in history.blocks
            if node == len(nodes) or block.nodes.swarm[node] != ABSENT or node in block.changed.left
        ]
        assert [told[1:] for told in listener.told] == expected
    begun = history.blocks[0].t_us
    first = [one.told[0][0] - begun for one in listeners if one.told and one.told[0][0] < begun + BLOCK]
    assert max(first) <= spread_us
    assert len(set(first)) > 20 or spread_us == 0


def test_what_blocks_did_stands_among_the_events_in_order_of_time() -> None:
    nodes, history = passed(replace(QUIET, joins_prob=0.2, leaves_prob=0.2, outages_prob=0.1))
    other = no_events()
    middle = history.blocks[3].t_us
    rows = {"t_us": [1, middle, middle], "endpoint": [70, 71, 72], "message": [5, 6, 7], "value": [8, 9, 1]}
    other |= {name: np.array(values, dtype=other[name].dtype) for name, values in rows.items()}
    other["what"] = np.array(["a", "b", "c"], dtype=object)
    table = with_blocks(other, history)
    assert list(table["t_us"]) == sorted(table["t_us"])
    assert {name: table[name].dtype for name in table} == {name: other[name].dtype for name in other}
    what = Counter(table["what"].tolist())
    assert what["block"] == len(history.blocks)
    for name, event in (("joined", "node joined"), ("left", "node left"), ("moved", "node moved")):
        assert what[event] == sum(len(getattr(block.changed, name)) for block in history.blocks)
    for name in ("created", "dissolved"):
        assert what[f"swarm {name}"] == sum(len(getattr(block.changed, name)) for block in history.blocks)
    at = list(table["t_us"]).index(middle)
    assert table["what"][at] == "block"
    assert table["value"][at] == len(history.blocks[3].nodes.active)
    assert list(table["what"][table["t_us"] == middle])[-2:] == ["b", "c"]
    assert with_blocks(other, History((), ())) is other
    gone = {nodes for block in history.blocks for nodes in block.changed.left}
    absent = history.absent_at_end()
    assert absent
    assert absent <= gone | {node for node, swarm in enumerate(nodes.swarm) if swarm == ABSENT}
    assert History((), ()).absent_at_end() == frozenset()


def test_an_event_waits_for_the_next_block_and_none_is_in_the_first() -> None:
    rules = MembershipRules(mode="rates", block_us=1_000_000)
    for t_us, block in ((0, 1), (1, 1), (1_000_000, 1), (1_000_001, 2), (2_000_000, 2), (9_300_000, 10)):
        assert _block(Event(t_us, Coming.JOINS, 0), rules) == block
