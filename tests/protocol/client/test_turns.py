"""Choices by number: in turn, at random, kept a while; one at a time and as arrays."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.seeds import Seeds
from sessionsim.protocol.client.turns import Ahead, Turns, luck_of, number_of, numbers_of, picked, planned

SWARM = (40, 7, 19, 3, 88, 21)
REST = (7, 88, 5)  # another
SWARMS = (*SWARM, 1)
LUCK = luck_of(Seeds(3).entropy("client", 1), b"test")


def turns(rule: str, count: int = 2) -> Turns:
    return Turns(LUCK, rule, count if rule == "random" else 1, 6)


@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from(["random", "cycle", "sticky"]),
            st.integers(1, 7),
            st.integers(0, 40),
            st.integers(1, 60),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_what_is_planned_is_what_would_be_chosen(asked: list[tuple[str, int, int, int]]) -> None:
    ahead, expected, after = [], [], []
    for rule, size, skipped, count in asked:
        swarm = SWARMS[:size]
        one, other = turns(rule), turns(rule)
        for number in range(skipped):
            one.choose(number, swarm)
            other.choose(number, swarm)
        chosen = [one.choose(number, swarm) for number in range(skipped, skipped + count)]
        ahead.append(Ahead(other, swarm, skipped, count))
        expected += [swarm.index(node) for nodes in chosen for node in nodes]
        after.append((one, other, swarm, skipped + count, chosen[-1][-1]))
    assert planned(ahead).tolist() == expected
    for one, other, swarm, following, last in after:
        other.skip(last)
        for number in range(following, following + 15):
            assert one.choose(number, swarm) == other.choose(number, swarm)


@given(skipped=st.integers(1, 40), count=st.integers(1, 30))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_a_plan_for_another_swarm_is_what_would_be_chosen_there(skipped: int, count: int) -> None:
    one, other = turns("sticky"), turns("sticky")
    for number in range(skipped):
        one.choose(number, SWARM)
        other.choose(number, SWARM)
    chosen = [one.choose(number, REST)[0] for number in range(skipped, skipped + count)]
    assert planned([Ahead(other, REST, skipped, count)]).tolist() == [REST.index(node) for node in chosen]


def test_a_cycle_takes_each_once_in_a_new_order() -> None:
    one = turns("cycle")
    rounds = [tuple(one.choose(number, SWARM)[0] for number in range(6 * k, 6 * k + 6)) for k in range(20)]
    assert all(sorted(turn) == sorted(SWARM) for turn in rounds)
    assert len(set(rounds)) > 15


def test_a_sticky_choice_lasts_six_polls_and_then_changes() -> None:
    one = turns("sticky")
    nodes = [one.choose(number, SWARM)[0] for number in range(600)]
    assert all(len(set(nodes[k : k + 6])) == 1 for k in range(0, 600, 6))
    assert all(nodes[k] != nodes[k + 6] for k in range(0, 594, 6))


def test_a_node_that_left_the_swarm_is_asked_no_more() -> None:
    one = turns("sticky")
    gone = one.choose(0, SWARM)[0]
    rest = tuple(node for node in SWARM if node != gone)
    assert one.choose(1, rest)[0] in rest


def test_random_choices_are_even_and_distinct() -> None:
    pairs = [picked(SWARM, 2, LUCK, number) for number in range(6000)]
    assert all(len(set(pair)) == 2 for pair in pairs)
    counts = Counter(node for pair in pairs for node in pair)
    # 12,000 draws over six nodes: 2,000 each, standard deviation 41.
    assert all(abs(counts[node] - 2000) < 5 * 41 for node in SWARM)


@given(number=st.integers(0, 1 << 45), below=st.integers(1, 50))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_numbers_of_many_are_those_of_one(number: int, below: int) -> None:
    found = numbers_of(LUCK, np.arange(number, number + 3), below)
    assert found.tolist() == [number_of(LUCK, number + k, below) for k in range(3)]
