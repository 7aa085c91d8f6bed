"""Churn of nodes, counted by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from sessionsim.core.truth import no_events
from sessionsim.metrics import Replicate, readings, readings_of, tally

Make = Callable[..., Replicate]
DAY = 86_400_000_000


def churning(make: Make, events: list[tuple[int, str]], seed: int = 1) -> Replicate:
    """Give a replicate of twelve nodes that is measured from day 1 to day 3."""
    plain = make(seed=seed)
    table = no_events()
    table["t_us"] = np.array([t for t, _ in events], dtype=np.int64)
    table["what"] = np.array([what for _, what in events], dtype=object)
    for name in ("endpoint", "message", "value"):
        table[name] = np.zeros(len(events), dtype=table[name].dtype)
    truth = dataclasses.replace(plain.truth, events=table, start_us=DAY, end_us=3 * DAY)
    return dataclasses.replace(plain, seed=seed, truth=truth)


EVENTS = [
    (0, "block"), (0, "node left"),  # before the measured phase
    (DAY, "block"), (DAY, "node left"), (DAY, "node left"), (DAY, "node moved"),
    (2 * DAY, "block"), (2 * DAY, "node joined"), (2 * DAY, "swarm dissolved"), (2 * DAY, "swarm dissolved"),
    (2 * DAY, "push failed"),
    (3 * DAY, "block"), (3 * DAY, "node joined"),  # after it
]  # fmt: skip


def test_a_network_that_stands_still_has_no_such_readings(make_replicate: Make) -> None:
    found = readings([make_replicate(seed=2), churning(make_replicate, [(DAY, "push failed")])])
    assert not [reading for reading in found if reading.metric == "node-churn"]


def test_numbers_are_a_day_and_of_a_hundred_nodes_at_the_start(make_replicate: Make) -> None:
    counted = [tally(churning(make_replicate, EVENTS, seed)) for seed in range(3)]
    found = {reading.name: reading for reading in readings_of(counted) if reading.metric == "node-churn"}
    assert found["nodes of 100 that ceased to serve, a day"].value == pytest.approx(100 * 2 / 12 / 2)
    assert found["nodes of 100 that began to serve, a day"].value == pytest.approx(100 * 1 / 12 / 2)
    assert found["nodes of 100 that changed their swarm, a day"].value == pytest.approx(100 * 1 / 12 / 2)
    assert found["swarms dissolved"].value == pytest.approx(2)
    assert found["swarms created"].value == 0
    assert {reading.n_unit for reading in found.values()} == {"seed"}
    assert found["nodes of 100 that ceased to serve, a day"].counts == {
        "node left": 6,
        "100 node days": pytest.approx(0.72),
    }


def test_runs_that_differ_have_an_interval(make_replicate: Make) -> None:
    more = [*EVENTS, (2 * DAY, "swarm dissolved")]
    runs = (EVENTS, more, EVENTS, more)
    counted = [tally(churning(make_replicate, events, seed)) for seed, events in enumerate(runs)]
    found = {reading.name: reading for reading in readings_of(counted)}["swarms dissolved"]
    # Two or three of four runs: mean 2.5, standard error 0.5 · √(4/3) / √4 = 0.289, t(3) = 3.182.
    assert found.value == pytest.approx(2.5)
    assert (found.low, found.high) == pytest.approx((2.5 - 0.9186, 2.5 + 0.9186), abs=1e-3)
