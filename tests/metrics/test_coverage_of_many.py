"""Coverage of accounts that are followed by paths alone: six accounts counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.metrics import Replicate, readings_of, tally
from sessionsim.metrics._run import check
from sessionsim.metrics.closed_forms.coverage import any_bad

Make = Callable[..., Replicate]


def months(observer: str = "eve") -> dict[str, Any]:
    n = 6
    return {
        "observer": np.array([observer] * n, dtype=object),
        "platform": np.array(["desktop"] * n, dtype=object),
        "bad": np.full(n, 3), "nodes": np.full(n, 12), "swarm_share": np.full(n, 0.5),
        "works": np.ones(n, np.int64), "owned": np.zeros(n, np.int64),
        # A guard that comes to be bad later does not count on the first day.
        "guard_us": np.array([0, 0, -1, 5, -1, 0]),
        "guard_and_replica_us": np.array([0, -1, -1, 5, -1, -1]),
        "guard_and_last_us": np.full(n, -1),
        "replica": np.array([True, False, True, True, False, False]),
        "swarm": np.array([5, 5, 5, 7, 7, 7]), "guards": np.full(n, 2),
        "around": np.array([7, 7, 6, 9, 9, 9]),
        "horizon_us": np.full(n, 86_400_000_000),
    }  # fmt: skip


def test_shares_and_their_closed_forms(make_replicate: Make) -> None:
    made = replace(make_replicate(), months=months())
    found = {one.name: one for one in readings_of([tally(made)]) if one.metric == "coverage-of-many"}
    for one in found.values():
        check(one)
    shares = {name: one.value for name, one in found.items()}
    assert shares == {
        "eve: bad replica, desktop": 3 / 6, "eve: bad guard, desktop": 3 / 6, "eve: both, desktop": 1 / 6,
    }  # fmt: skip
    replica = (any_bad(12, 3, 5) + any_bad(12, 3, 7)) / 2
    guard = any_bad(12, 3, 2)
    union = (2 * any_bad(12, 3, 7) + any_bad(12, 3, 6) + 3 * any_bad(12, 3, 9)) / 6
    expected = (replica, guard, replica + guard - union)
    assert [one.baseline for one in found.values()] == pytest.approx(list(expected))
    assert found["eve: both, desktop"].counts["covered"] == 1


def test_without_months_there_is_nothing(make_replicate: Make) -> None:
    assert not [one for one in readings_of([tally(make_replicate())]) if one.metric == "coverage-of-many"]
