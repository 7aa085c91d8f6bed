from __future__ import annotations

from array import array

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.adversary.columns import Places, column, first_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.notes import earliest, groups

small = st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3), st.integers(0, 20)), max_size=12)


def test_a_growing_column_is_read_as_it_stands() -> None:
    assert column(array("q", [3, 1])).tolist() == [3, 1]
    assert column(array("q")).tolist() == []


@settings(derandomize=True)
@given(small)
def test_places_are_where_the_value_stands(rows: list[tuple[int, int, int]]) -> None:
    values = np.array([row[0] for row in rows], np.int64)
    places = Places(values)
    for value in range(5):
        assert places.of(value) == [at for at, row in enumerate(rows) if row[0] == value]


@settings(derandomize=True)
@given(small)
def test_first_of_is_the_least_time_of_each_number(rows: list[tuple[int, int, int]]) -> None:
    numbers, t_us = (np.array([row[k] for row in rows], np.int64) for k in (0, 2))
    expected = [min([row[2] for row in rows if row[0] == n], default=NEVER) for n in range(5)]
    assert first_of(numbers, t_us, 5, NEVER).tolist() == expected


@settings(derandomize=True)
@given(small)
def test_groups_gather_equal_keys_by_time(rows: list[tuple[int, int, int]]) -> None:
    one, other, t_us = (np.array([row[k] for row in rows], np.int64) for k in range(3))
    t_us = np.where(t_us > 15, NEVER, t_us)
    found = dict(groups((one, other), t_us))
    there = [at for at in range(len(rows)) if t_us[at] < NEVER]
    assert sorted(at for places in found.values() for at in places) == there
    for key, places in found.items():
        assert {(one[at], other[at]) for at in places} == {key}
        assert places == sorted(places, key=lambda at: (t_us[at], at))


def test_earliest_asks_no_more_than_it_needs() -> None:
    exact, asked = {0: 50, 1: 20, 2: 90, 3: 95}, []

    def exact_us(place: int) -> int:
        asked.append(place)
        return exact[place]

    assert earliest([0, 1, 2, 3], [10, 15, 30, 40], exact_us, lambda place: True) == (1, 20)
    assert asked == [0, 1]
    assert earliest([0, 1], [10, 15], exact_us, lambda place: place == 0) == (0, 50)
    assert earliest([0, 1], [10, 15], exact_us, lambda place: False) is None
    assert earliest([], [], exact_us, lambda place: True) is None
