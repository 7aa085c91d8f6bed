"""The generator of swarm assignment against the C++ standard's value and GNU's draws."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.mersenne import Mersenne64

HELD = Path(__file__).parents[1] / "vectors" / "swarm_assignment.json"
GROUPS = json.loads(HELD.read_text("utf-8"))["groups"]
LARGEST = (1 << 64) - 1


def test_draw_of_the_standard() -> None:
    (vector,) = GROUPS["transport:swarm.mt19937_64_check"]["vectors"]
    chance = Mersenne64(vector["seed"])
    for _ in range(vector["draw_number"] - 1):
        chance.draw()
    assert chance.draw() == int(vector["value"])


@pytest.mark.parametrize("vector", GROUPS["gnu:mt19937_64"]["vectors"], ids=lambda vector: vector["seed"])
def test_draws_of_gnu_around_the_ends_of_seeding_and_round(vector: dict[str, dict[str, str]]) -> None:
    chance = Mersenne64(int(str(vector["seed"])))
    draws = [chance.draw() for _ in range(1000)]
    assert {number: str(draws[int(number) - 1]) for number in vector["draws"]} == vector["draws"]


class Fixed(Mersenne64):
    """Gives chosen draws."""

    def __init__(self, *draws: int) -> None:
        super().__init__(0)
        self.left = list(draws)

    def draw(self) -> int:
        return self.left.pop(0)


def test_index_is_the_quotient_and_not_the_rest() -> None:
    # Below 10: draws from 2^64-6 on are refused, and each index owns a stretch of 1844674407370955161 draws.
    step = LARGEST // 10
    assert step == 1844674407370955161
    assert [Fixed(draw).below(10) for draw in (0, step - 1, step, 9 * step, 10 * step - 1)] == [0, 0, 1, 9, 9]
    assert Fixed(10 * step, LARGEST, 3 * step).below(10) == 3


def test_largest_draw_is_refused_even_where_it_need_not_be() -> None:
    assert Fixed(LARGEST, 7).below(1) == 0
    assert Fixed(LARGEST, 7).left == [LARGEST, 7]
    chance = Fixed(LARGEST, LARGEST - 1)
    assert chance.below(LARGEST) == LARGEST - 1
    assert chance.left == []


@given(st.integers(0, LARGEST), st.integers(1, LARGEST))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_index_lies_below_its_bound(seed: int, count: int) -> None:
    chance = Mersenne64(seed)
    assert all(0 <= chance.below(count) < count for _ in range(3))


@pytest.mark.parametrize("seed", [-1, LARGEST + 1])
def test_other_seeds_are_our_mistake(seed: int) -> None:
    with pytest.raises(LocalProtocolError, match="64 bits"):
        Mersenne64(seed)


@pytest.mark.parametrize("count", [0, -1, LARGEST + 1])
def test_index_below_nothing_is_our_mistake(count: int) -> None:
    with pytest.raises(LocalProtocolError, match="below"):
        Mersenne64(1).below(count)
