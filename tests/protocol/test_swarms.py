"""The choice of a swarm against the vectors of both reference programs, and against a plain search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "swarm.json").read_text("utf-8"))["groups"]
RING = 1 << 64
POSITIONS = [
    *((v["pubkey"], v["swarm_space"]) for v in GROUPS["transport:swarm.swarm_space"]["vectors"]),
    *(
        (c["input"]["pubkey"], c["expected"]["swarm_space"])
        for c in GROUPS["libsession:swarm_space"]["cases"]
    ),
]
CHOICES = [
    *(
        (v["pubkey"], v["swarm_ids"], v["swarm_id"])
        for v in GROUPS["transport:swarm.nearest_swarm"]["vectors"]
    ),
    *(
        (c["input"]["pubkey"], c["input"]["swarm_ids"], c["expected"]["swarm_id"])
        for c in GROUPS["libsession:swarm_choice"]["cases"]
    ),
]
ids_of_swarms = st.lists(st.integers(0, RING - 2) | st.integers(0, 20), max_size=12, unique=True).map(sorted)


def test_the_vectors_are_there() -> None:
    assert (len(POSITIONS), len(CHOICES)) == (11 + 14, 32 + 40)


@pytest.mark.parametrize(("pubkey", "position"), POSITIONS)
def test_position_of_the_references(pubkey: str, position: str) -> None:
    assert swarm_position(bytes.fromhex(pubkey)[1:]) == int(position)


@pytest.mark.parametrize(("pubkey", "swarms", "chosen"), CHOICES)
def test_swarm_of_the_references(pubkey: str, swarms: list[str], chosen: str | None) -> None:
    found = nearest_swarm(swarm_position(bytes.fromhex(pubkey)[1:]), sorted(int(s) for s in swarms))
    assert found == (None if chosen is None else int(chosen))


def test_no_swarm_gives_none() -> None:
    assert nearest_swarm(7, []) is None


def test_tie_goes_to_the_lower_neighbour() -> None:
    assert nearest_swarm(15, [10, 20]) == 10
    assert nearest_swarm(16, [10, 20]) == 20


def test_tie_across_the_wrap_goes_to_the_left_neighbour() -> None:
    assert nearest_swarm(5, [15, RING - 5]) == RING - 5
    assert nearest_swarm(RING - 1, [4, RING - 6]) == RING - 6
    assert nearest_swarm(0, [4, RING - 6]) == 4


@given(st.integers(0, RING - 1) | st.integers(0, 20), ids_of_swarms)
@settings(deadline=None, max_examples=500, derandomize=True)
def test_nobody_is_nearer_on_the_ring(position: int, swarms: list[int]) -> None:
    chosen = nearest_swarm(position, swarms)
    if not swarms:
        assert chosen is None
        return
    distance = {s: min((s - position) % RING, (position - s) % RING) for s in swarms}
    assert chosen in swarms
    assert distance[chosen] == min(distance.values())


@pytest.mark.parametrize("length", [0, 31, 33])
def test_position_of_an_id_with_its_prefix_is_our_mistake(length: int) -> None:
    with pytest.raises(LocalProtocolError, match=str(length)):
        swarm_position(bytes(length))
