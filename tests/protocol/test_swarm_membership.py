"""Who waits, serves or rests: tables of state and change, and what two maps differ by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.swarm_assignment import reassign
from sessionsim.protocol.swarm_membership import (
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

RULES = SwarmRules()
# Swarms 10 and 20; 7 waits; 8 rests.
SOME = Membership({10: (1, 2, 3, 4, 5, 6), 20: (11, 12, 13, 14, 15)}, frozenset({7}), frozenset({8}))
FIRST, SECOND = SOME.swarms[10], SOME.swarms[20]

STEPS = [
    (register, [9], Membership(SOME.swarms, frozenset({7, 9}), frozenset({8}))),
    (register, [], SOME),
    (decommission, [2], Membership({10: (1, 3, 4, 5, 6), 20: SECOND}, frozenset({7}), frozenset({2, 8}))),
    (decommission, [7], Membership(SOME.swarms, frozenset(), frozenset({7, 8}))),
    (recommission, [8], Membership(SOME.swarms, frozenset({7, 8}), frozenset())),
    (remove, [1, 6, 11], Membership({10: (2, 3, 4, 5), 20: SECOND[1:]}, frozenset({7}), frozenset({8}))),
    (remove, [7, 8], Membership(SOME.swarms)),
    (remove, [11, 12, 13, 14, 15], Membership({10: FIRST}, frozenset({7}), frozenset({8}))),
]
WRONG = [
    (register, [3], "twice"),
    (register, [7], "twice"),
    (register, [8], "twice"),
    (register, [9, 9], "named twice"),
    (decommission, [8], "already"),
    (decommission, [9], "unknown"),
    (recommission, [1], "not decommissioned"),
    (recommission, [7], "not decommissioned"),
    (remove, [1, 9], "unknown"),
    (remove, [1, 1], "named twice"),
]
Step = Callable[[Membership[int], list[int]], Membership[int]]


def name_of(value: Any) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("step", "nodes", "after"), STEPS, ids=name_of)
def test_steps(step: Step, nodes: list[int], after: Membership[int]) -> None:
    assert step(SOME, nodes) == after


@pytest.mark.parametrize(("step", "nodes", "told"), WRONG, ids=name_of)
def test_steps_that_cannot_be_are_our_mistake(step: Step, nodes: list[int], told: str) -> None:
    with pytest.raises(LocalProtocolError, match=told):
        step(SOME, nodes)


def test_a_block_assigns_who_waits_and_not_who_rests() -> None:
    after = settle(SOME, 1, RULES)
    assert after.waiting == frozenset()
    assert after.decommissioned == {8}
    assert after.swarms == {10: FIRST, 20: (7, 11, 12, 13, 14, 15)}  # to the smaller one, in order of key
    assert after.swarms[10] is FIRST


def test_a_decommissioned_node_comes_back_anywhere() -> None:
    whole = Membership({swarm: tuple(range(swarm, swarm + 7)) for swarm in range(0, 100, 10)})
    found = set()
    for seed in range(40):
        resting = settle(decommission(whole, [3]), seed, RULES)
        assert 3 not in {node for nodes in resting.swarms.values() for node in nodes}
        back = settle(recommission(resting, [3]), seed + 1, RULES)
        found |= {swarm for swarm, nodes in back.swarms.items() if 3 in nodes}
    # The swarm it left is the only one of six, position ⌊25·9/100⌋ = 2 has size seven: all ten are open.
    assert len(found) > 5


def test_newcomers_come_in_order_of_key() -> None:
    # A set of such numbers lists them in another order.
    keys = [key * 0x9E3779B97F4A7C15 % (1 << 64) for key in range(1, 9)]
    assert list(frozenset(keys)) != sorted(keys)
    after = settle(register(SOME, keys), 5, RULES)
    by_hand = reassign(SOME.swarms, sorted([7, *keys]), 5, RULES)
    assert after.swarms == {swarm: tuple(sorted(nodes)) for swarm, nodes in by_hand.items()}


def test_keys_may_be_bytes() -> None:
    keys = [bytes([number]) * 32 for number in range(20)]
    after = settle(register(Membership(), keys), 5, RULES)
    assert sorted(key for nodes in after.swarms.values() for key in nodes) == keys
    assert len(after.swarms) == 2


def test_seed_is_the_start_of_the_block_hash_read_little_endian() -> None:
    assert seed_of_block(bytes(range(32))) == 0x0706050403020100
    with pytest.raises(LocalProtocolError, match="31"):
        seed_of_block(bytes(31))


def test_changes_between_two_maps() -> None:
    before = {1: ("a", "b"), 2: ("c", "d"), 3: ("e",)}
    after = {1: ("a", "b"), 2: ("c", "e", "f"), 4: ("d",)}
    found = changes(before, after)
    assert (found.created, found.dissolved) == ((4,), (3,))
    assert found.moved == {"e": (3, 2), "d": (2, 4)}
    assert (found.joined, found.left) == ({"f": 2}, {})
    back = changes(after, before)
    assert (back.joined, back.left) == ({}, {"f": 2})
    assert back.moved == {"e": (2, 3), "d": (4, 2)}


def test_equal_maps_have_no_changes() -> None:
    before, after = {1: [1, 2], 2: [3]}, {1: [2, 1], 2: [3]}
    found = changes(before, after)
    assert not any((found.created, found.dissolved, found.moved, found.joined, found.left))


@given(st.lists(st.tuples(st.sampled_from("rdbx"), st.integers(1, 6)), max_size=40), st.integers(0, 1 << 63))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_node_is_lost_and_changes_tell_the_whole_story(steps: list[tuple[str, int]], seed: int) -> None:
    here = settle(register(Membership(), range(30)), seed, RULES)
    known, fresh = set(range(30)), 30
    for step, number in steps:
        before = here
        active = sorted(node for nodes in here.swarms.values() for node in nodes)
        if step == "r":
            here, known = (
                register(here, range(fresh, fresh + number)),
                known | {*range(fresh, fresh + number)},
            )
            fresh += number
        elif step == "d":
            here = decommission(here, active[:number])
        elif step == "b":
            here = recommission(here, sorted(here.decommissioned)[:number])
        else:
            here, known = remove(here, active[-number:]), known - {*active[-number:]}
        here = settle(here, seed + number, RULES)
        places = [node for nodes in here.swarms.values() for node in nodes] + [*here.decommissioned]
        assert sorted(places) == sorted(known)
        assert all(list(nodes) == sorted(nodes) and nodes for nodes in here.swarms.values())
        old = {node: swarm for swarm, nodes in before.swarms.items() for node in nodes}
        new = {node: swarm for swarm, nodes in here.swarms.items() for node in nodes}
        told = changes(before.swarms, here.swarms)
        assert {
            node: (old[node], new[node]) for node in old.keys() & new.keys() if old[node] != new[node]
        } == (told.moved)
        assert (told.joined.keys(), told.left.keys()) == (new.keys() - old.keys(), old.keys() - new.keys())
