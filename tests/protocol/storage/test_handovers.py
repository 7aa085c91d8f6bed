"""What a node hands on when swarms change: the four events, as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.nodelist import ABSENT, UNASSIGNED, NodeList
from sessionsim.protocol.handovers import (
    Change,
    Handover,
    change_for,
    handovers,
    split_by_swarm,
)
from sessionsim.protocol.stored import Held, Message

A, B, C = 0, 1 << 62, 1 << 63
OLD = {A: (0, 1, 2), C: (3, 4, 5)}


def listed(swarms: dict[int, tuple[int, ...]], rest: int = UNASSIGNED) -> NodeList:
    """Give a list of ten nodes with these swarms. Args: rest: what stands for nodes in none."""
    of_node = {node: swarm for swarm, members in swarms.items() for node in members}
    keys = tuple(bytes([i]) * 32 for i in range(10))
    return NodeList(keys, keys, tuple(of_node.get(i, rest) for i in range(10)), (0,) * 10, (0,) * 10)


def account_at(position: int) -> bytes:
    """Give an account at a point of the ring."""
    return b"\x05" + position.to_bytes(8, "big") + bytes(24)


def held(order: int, position: int) -> Held:
    return Held(account_at(position), 0, Message(order, f"{order}".rjust(43, "A"), 1, 2, b"x"))


# Near A, near where B will be, near C.
MESSAGES = [held(1, A + 5), held(2, B - 3), held(3, C + 1), held(4, B + 9), held(5, A + 6)]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, Change(A, False, (), (), False)),
        # somebody joins our swarm, from nowhere or from another one
        ({A: (0, 1, 2, 6), C: (3, 4, 5)}, Change(A, False, (6,), (), False)),
        ({A: (0, 1, 2, 5), C: (3, 4)}, Change(A, False, (5,), (), False)),
        # a new swarm comes up
        ({**OLD, B: (6, 7)}, Change(A, False, (), (B,), False)),
        # our swarm dissolves
        ({C: (0, 1, 2, 3, 4, 5)}, Change(C, True, (), (), True)),
        # we move
        ({A: (1, 2), C: (0, 3, 4, 5)}, Change(C, True, (), (), False)),
        ({A: (1, 2), B: (0, 6), C: (3, 4, 5)}, Change(B, True, (), (), False)),
        # we leave
        ({A: (1, 2), C: (3, 4, 5)}, Change(None, False, (), (), False)),
        ({}, Change(None, False, (), (), False)),
    ],
)
def test_what_a_new_map_means_for_a_node(new: dict[int, tuple[int, ...]], expected: Change) -> None:
    assert change_for(0, listed(OLD), listed(new)) == expected
    assert change_for(0, listed(OLD, ABSENT), listed(new, ABSENT)) == expected


def test_a_node_that_had_no_swarm_is_new_and_nothing_of_its_own_dissolves() -> None:
    new = listed({A: (0, 1, 2, 9), C: (3, 4, 5)})
    assert change_for(9, listed(OLD), new) == Change(A, True, (), (), False)


def handed(
    new: dict[int, tuple[int, ...]], *, unasked: bool = True, node: int = 0
) -> dict[tuple[int, ...], list[int]]:
    change = change_for(node, listed(OLD), listed(new))
    given_ = handovers(node, change, new, MESSAGES, unasked=unasked)
    assert all(isinstance(one, Handover) for one in given_)
    return {one.nodes: [held.message.order for held in one.messages] for one in given_}


def test_a_newcomer_gets_the_swarm_s_messages_from_old_nodes_and_must_ask_new_ones() -> None:
    new = {A: (0, 1, 2, 6), C: (3, 4, 5)}
    assert handed(new) == {(6,): [1, 2, 5]}
    assert handed(new, unasked=False) == {}


def test_a_new_swarm_gets_what_is_now_its_own_in_every_version() -> None:
    new = {**OLD, B: (6, 7)}
    assert handed(new) == handed(new, unasked=False) == {(6, 7): [2, 4]}


def test_both_at_once() -> None:
    new = {A: (0, 1, 2, 8), B: (6, 7), C: (3, 4, 5)}
    assert handed(new) == {(8,): [1, 5], (6, 7): [2, 4]}


def test_a_dissolved_swarm_gives_every_swarm_its_own_but_not_to_itself() -> None:
    assert handed({C: (0, 3, 4)}) == {(3, 4): [1, 2, 3, 4, 5]}
    assert handed({B: (0, 3), C: (4, 5)}, unasked=False) == {(3,): [1, 2, 4, 5], (4, 5): [3]}
    assert handed({C: (0,)}) == {}


def test_who_moves_or_leaves_hands_nothing_on() -> None:
    assert handed({A: (1, 2), C: (0, 3, 4, 5)}) == {}
    assert handed({A: (1, 2), C: (3, 4, 5)}) == {}


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.lists(st.integers(0, (1 << 64) - 1), max_size=20),
    st.lists(st.integers(0, (1 << 64) - 2), min_size=1, max_size=5, unique=True),
)
def test_every_message_has_one_swarm_whatever_the_order_of_the_map(
    positions: list[int], swarms: list[int]
) -> None:
    messages = [held(order, position) for order, position in enumerate(positions)]
    forwards = split_by_swarm(messages, {swarm: (0,) for swarm in swarms})
    backwards = split_by_swarm(messages, {swarm: (0,) for swarm in reversed(swarms)})
    assert forwards == backwards
    assert sorted(one.message.order for share in forwards.values() for one in share) == list(
        range(len(messages))
    )
    for share in forwards.values():
        assert [one.message.order for one in share] == sorted(one.message.order for one in share)


def test_without_swarms_nobody_keeps_anything() -> None:
    assert split_by_swarm(MESSAGES, {}) == {}
