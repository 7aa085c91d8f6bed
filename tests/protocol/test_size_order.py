"""The order of equal sizes against GNU's std::sort."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.protocol.size_order import positions

HELD = Path(__file__).parents[1] / "vectors" / "swarm_assignment.json"
VECTORS = json.loads(HELD.read_text("utf-8"))["groups"]["gnu:std_sort"]["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(len(vector["sizes"])))
def test_order_of_gnu(vector: dict[str, list[int]]) -> None:
    assert positions(vector["sizes"], 0, len(vector["sizes"])) == vector["order"]


def test_the_vectors_are_not_all_in_order_of_index() -> None:
    stable = [sorted(range(len(v["sizes"])), key=v["sizes"].__getitem__) == v["order"] for v in VECTORS]
    assert stable == [len(v["sizes"]) <= 16 for v in VECTORS]


@given(
    st.lists(st.integers(3, 9) | st.integers(0, 99), max_size=120), st.integers(0, 120), st.integers(0, 120)
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_part_is_a_part_of_the_whole_and_the_whole_is_sorted(
    sizes: list[int], one: int, other: int
) -> None:
    low, high = sorted((min(one, len(sizes)), min(other, len(sizes))))
    given_sizes = list(sizes)
    whole = positions(sizes, 0, len(sizes))
    assert positions(sizes, low, high) == whole[low:high]
    assert sorted(whole) == list(range(len(sizes)))
    assert [sizes[at] for at in whole] == sorted(sizes)
    assert sizes == given_sizes


@pytest.mark.parametrize("count", [0, 1, 16, 17, 500])
def test_no_positions_are_an_empty_list(count: int) -> None:
    assert positions([5] * count, count, count) == []


def test_sizes_arranged_against_the_median_still_come_out_sorted() -> None:
    """The splits come to their limit, where the library would turn to heap sort."""
    sizes = median_killer(400)
    whole = positions(sizes, 0, len(sizes))
    assert [sizes[at] for at in whole] == sorted(sizes)


def median_killer(count: int) -> list[int]:
    """Arrange numbers so that each median of three is among the smallest (Musser 1997)."""
    half = count // 2
    odd = [k if k % 2 else half + k - 1 for k in range(1, half + 1)]
    return [*odd, *(2 * k for k in range(1, half + 1))]
