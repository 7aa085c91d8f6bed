"""The assignment rule against the references' values, exact maps of its restatement, and its invariants."""

from __future__ import annotations

import json
from bisect import insort
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.core.nodelist import UNASSIGNED
from sessionsim.core.settings import facts_of
from sessionsim.protocol.mersenne import Mersenne64
from sessionsim.protocol.swarm_assignment import (
    LARGEST_SWARM_ID,
    new_swarm_id,
    reassign,
)
from sessionsim.protocol.swarm_rules import SwarmRules

HELD = Path(__file__).parents[1] / "vectors" / "swarm_assignment.json"
GROUPS = json.loads(HELD.read_text("utf-8"))["groups"]
RULES = SwarmRules()
Map = dict[int, tuple[int, ...]]


@pytest.mark.parametrize("vector", GROUPS["transport:swarm.new_swarm_id"]["vectors"])
def test_new_id_of_the_reference(vector: dict[str, Any]) -> None:
    assert new_swarm_id(map(int, vector["existing_ids"])) == int(vector["new_id"])


def test_ids_of_ten_thousand_steps_of_the_reference() -> None:
    group = GROUPS["transport:swarm.deterministic_swarm_ids"]
    ids: list[int] = []
    chance = Mersenne64(12345)
    for _ in range(10_000):
        number = chance.draw()
        if number < 1 << 62:
            del ids[number % len(ids)]
        else:
            insort(ids, new_swarm_id(ids))
    assert len(ids) == group["final_count"]
    assert {at: str(ids[int(at)]) for at in group["sorted_ids_at_index"]} == group["sorted_ids_at_index"]


def test_new_id_does_not_depend_on_the_order_given() -> None:
    assert new_swarm_id([700, 100, LARGEST_SWARM_ID]) == new_swarm_id([100, 700, LARGEST_SWARM_ID])


def holds_registration_property(swarms: Map, nodes: int) -> bool:
    count = len(swarms)
    spare = sum(max(0, len(members) - 5) for members in swarms.values())
    return count == 1 + max(nodes - 7, 0) // 7 and (nodes < 7 or spare == 2 * count + nodes % 7)


def test_number_of_swarms_when_nodes_register_one_by_one() -> None:
    assert "280 nodes" in GROUPS["transport:swarm.registration_property"]["property"]
    swarms: Map = {}
    for node in range(280):
        swarms = reassign(swarms, [node], node, RULES)
        assert holds_registration_property(swarms, node + 1), node


def test_number_of_swarms_when_nodes_register_in_bulk() -> None:
    swarms: Map = {}
    steps, nodes = GROUPS["transport:swarm.registration_property"]["bulk_sequence"], 0
    assert len(steps) == 16
    for step in steps:
        swarms = reassign(swarms, range(nodes, nodes + step), 0, RULES)
        nodes += step
        assert holds_registration_property(swarms, nodes)


@pytest.mark.parametrize(
    "vector",
    GROUPS["restated:reassign"]["vectors"],
    ids=lambda vector: f"{len(vector['swarms'])} swarms, {len(vector['unassigned'])} new",
)
def test_maps_node_by_node(vector: dict[str, Any]) -> None:
    swarms = {int(swarm): nodes for swarm, nodes in vector["swarms"].items()}
    after = reassign(swarms, vector["unassigned"], int(vector["seed"]), RULES)
    assert {str(swarm): list(nodes) for swarm, nodes in after.items()} == vector["after"]


def test_maps_of_more_than_16_swarms_hang_on_the_order_of_ties() -> None:
    differing = 0
    for vector in GROUPS["restated:reassign"]["vectors"]:
        swarms = {int(swarm): nodes for swarm, nodes in vector["swarms"].items()}
        maps = [
            reassign(swarms, vector["unassigned"], int(vector["seed"]), SwarmRules(tie_order=order))
            for order in ("gnu", "id")
        ]
        assert maps[0] == maps[1] or len(swarms) > 16 or len(maps[0]) > 16
        differing += maps[0] != maps[1]
    assert differing


sizes_of_swarms = st.lists(st.integers(0, 12) | st.integers(4, 6), max_size=30)
rules_of_scenarios = st.builds(
    lambda minimum, base, new, **others: SwarmRules(
        minimum, minimum + base, new_size=minimum + new, **others
    ),
    minimum=st.integers(1, 8),
    base=st.integers(0, 3),
    new=st.integers(0, 4),
    margin=st.integers(0, 4),
    fill_percentile=st.integers(0, 100),
    steal_percentile=st.integers(0, 100),
    dissolve_percentile=st.integers(0, 100),
    tie_order=st.sampled_from(["gnu", "id"]),
)


def made(sizes: list[int], ids: int) -> Map:
    """Make swarms of these sizes, with ids spread by a number."""
    nodes = iter(range(10_000))
    return {
        (k + 1) * ids % LARGEST_SWARM_ID: tuple(next(nodes) for _ in range(size))
        for k, size in enumerate(sizes)
    }


@given(
    sizes_of_swarms,
    st.integers(1, LARGEST_SWARM_ID).filter(lambda number: number % 2),
    st.integers(0, 40),
    st.integers(0, (1 << 64) - 1),
    st.just(RULES) | rules_of_scenarios,
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_nodes_are_kept_and_no_swarm_starves(
    sizes: list[int], ids: int, newcomers: int, seed: int, rules: SwarmRules
) -> None:
    before = made(sizes, ids)
    kept, new = dict(before), list(range(20_000, 20_000 + newcomers))
    after = reassign(before, new, seed, rules)
    assert before == kept
    assert new == list(range(20_000, 20_000 + newcomers))
    assert sorted(node for nodes in after.values() for node in nodes) == sorted(
        [*(node for nodes in before.values() for node in nodes), *new]
    )
    assert list(after) == sorted(after)
    assert not after or 0 <= min(after) <= max(after) < UNASSIGNED
    if len(after) > 1:
        assert min(map(len, after.values())) >= rules.minimum
        spare = sum(max(0, len(nodes) - rules.excess_base) for nodes in after.values())
        assert spare < rules.new_size + rules.margin * len(after)
    assert reassign(before, new, seed, rules) == after
    # What is settled stays, whatever the seed.
    assert reassign(after, [], seed ^ 1, rules) == after


def test_nothing_comes_of_nothing() -> None:
    assert reassign({}, [], 1, RULES) == {}


def test_first_node_founds_swarm_zero() -> None:
    assert reassign({}, ["a"], 1, RULES) == {0: ("a",)}


def test_another_seed_gives_another_map() -> None:
    before = made([6] * 12, 1 << 59)
    assert len({json.dumps(reassign(before, [9_000, 9_001], seed, RULES)) for seed in range(8)}) > 4


def placed(sizes: list[int], rules: SwarmRules) -> set[int]:
    """Give the sizes of the swarms that one newcomer may join."""
    before = made(sizes, 1 << 55)
    chosen = set()
    for seed in range(60):
        after = reassign(before, [9_000], seed, rules)
        chosen |= {len(before[swarm]) for swarm, nodes in after.items() if 9_000 in nodes}
    return chosen


def test_newcomers_join_all_swarms_up_to_the_percentile_size() -> None:
    # Position ⌊25·4/100⌋ = 1 of five holds size 5; all swarms of that size count, not only those before it.
    assert placed([5, 5, 5, 6, 8], RULES) == {5}
    assert placed([5, 6, 6, 6, 8], RULES) == {5, 6}
    assert placed([5, 6, 6, 7, 8], SwarmRules(fill_percentile=74)) == {5, 6}
    assert placed([5, 6, 6, 7, 8], SwarmRules(fill_percentile=75)) == {5, 6, 7}


def test_starving_swarms_are_fed_by_the_large_ones() -> None:
    before = made([3, 6, 6, 9, 10], 1 << 55)
    for seed in range(40):
        after = reassign(before, [], seed, RULES)
        sizes = [len(after[swarm]) for swarm in sorted(before)]
        # Position ⌊75·4/100⌋ = 3 holds size 9, so swarms of more than 8 give.
        assert sizes[:3] == [5, 6, 6]
        assert sum(sizes) == 34
        assert after[min(before)][:3] == before[min(before)]


def test_a_swarm_nobody_touched_is_the_same_tuple() -> None:
    before = made([5, 6, 7, 8], 1 << 55)
    after = reassign(before, [9_000], 1, RULES)
    assert [len(after[swarm]) for swarm in sorted(before)] == [6, 6, 7, 8]
    assert all(after[swarm] is before[swarm] for swarm in sorted(before)[1:])


def test_swarms_of_the_minimum_never_give_and_the_poor_one_dissolves() -> None:
    before = made([4, 5, 5, 5], 1 << 55)
    for seed in range(20):
        after = reassign(before, [], seed, RULES)
        # One by one to the smallest: the fourth node finds three swarms of six.
        assert sorted(map(len, after.values())) == [6, 6, 7]
        assert min(before) not in after


def test_nodes_of_a_dissolved_swarm_go_up_to_the_percentile_size() -> None:
    before = made([1, 5, 5, 8], 1 << 55)  # three nodes to spare, four are lacking
    joined: dict[int, set[int]] = {0: set(), 100: set()}
    for percentile, sizes in joined.items():
        for seed in range(40):
            after = reassign(before, [], seed, SwarmRules(dissolve_percentile=percentile))
            sizes |= {len(before[swarm]) for swarm, nodes in after.items() if 0 in nodes}
    assert joined == {0: {5}, 100: {5, 8}}


def test_the_last_swarm_cannot_dissolve() -> None:
    before = made([2, 1], 1 << 55)
    after = reassign(before, [], 3, RULES)
    assert list(after) == [max(before)]
    assert sorted(after[max(before)]) == [0, 1, 2]


@pytest.mark.parametrize("swarm", [-1, UNASSIGNED])
def test_ids_off_the_ring_are_our_mistake(swarm: int) -> None:
    with pytest.raises(LocalProtocolError, match="id"):
        reassign({swarm: (1,), 5: (2,)}, [], 1, RULES)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"minimum": 8}, "excess_base"),
        ({"new_size": 4}, "new_size"),
        ({"minimum": 0, "excess_base": 0}, "minimum"),
        ({"margin": -1}, "margin"),
        ({"fill_percentile": 101}, "fill_percentile"),
        ({"steal_percentile": -1}, "steal_percentile"),
        ({"tie_order": "random"}, "tie_order"),
    ],
)
def test_rules_that_cannot_work_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        SwarmRules(**wrong)


def test_every_rule_has_a_source() -> None:
    assert all(facts.source and facts.doc for facts in facts_of(SwarmRules).values())
    assert len(facts_of(SwarmRules)) == len(SwarmRules.__dataclass_fields__)
