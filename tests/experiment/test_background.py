"""Strangers: as many events as a population makes, with the gaps and sizes of those simulated."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.adversary.attacks._events import FIRST_STRANGER, online_clients, requests, stores
from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_S
from sessionsim.experiment.background import Background, Watched, resampled, with_background
from tests.adversary.attacks.traffic import view_of

HOUR = 3600 * US_PER_S
TABLE = {
    "t_us": np.array([10, 20, 30, 500, 900]), "client": np.array([4, 4, 4, 9, 9]),
    "wire_bytes": np.array([1, 2, 3, 7, 8]),
}  # fmt: skip


def test_streams_are_taken_whole_and_turned_around_the_run() -> None:
    found = resampled(TABLE, "client", 200, 1000, Seeds(1).stream("x"))
    assert np.all(np.diff(found["t_us"]) >= 0)
    assert found["t_us"].min() >= 0
    assert found["t_us"].max() < 1000
    for stranger in np.unique(found["client"]):
        mine = found["client"] == stranger
        assert stranger >= FIRST_STRANGER
        sizes = found["wire_bytes"][mine]
        first = np.flatnonzero(np.isin(sizes, (1, 7)))[0]
        gaps = np.diff(np.roll(found["t_us"][mine], -first)) % 1000
        if set(sizes.tolist()) == {1, 2, 3}:
            assert (np.roll(sizes, -first).tolist(), gaps.tolist()) == ([1, 2, 3], [10, 10])
        else:
            assert (np.roll(sizes, -first).tolist(), gaps.tolist()) == ([7, 8], [400])


def test_as_many_events_are_drawn_as_wanted_on_average() -> None:
    many = [len(resampled(TABLE, "client", 31.7, 1000, Seeds(k).stream("x"))["t_us"]) for k in range(400)]
    assert abs(np.mean(many) - 31.7) < 4.5 * np.std(many) / 20


def test_nothing_to_draw_from_and_nothing_wanted_give_nothing() -> None:
    empty = {name: column[:0] for name, column in TABLE.items()}
    assert len(resampled(empty, "client", 100, 1000, Seeds(1).stream("x"))["t_us"]) == 0
    assert len(resampled(TABLE, "client", 0, 1000, Seeds(1).stream("x"))["t_us"]) == 0


def test_a_population_brings_its_rate_to_what_is_watched() -> None:
    view = view_of(
        np.arange(100) * US_PER_S, np.arange(100) % 5, np.where(np.arange(100) % 2, 2000, 3000),
        stored=[(k * US_PER_S, k % 3, k, 500, True) for k in range(50)],
    )  # fmt: skip
    rules, spoken = Background(messages_per_day=24.0, online_prob=0.5), np.arange(1, 100, 2)
    wide = with_background(view, 10_000, Watched(0.3, 0.2, HOUR), rules, spoken, Seeds(1))
    sent, stored = requests(wide), stores(wide)
    # 24 a day is one an hour, and each message has two copies.
    strangers = sent.client >= FIRST_STRANGER
    assert abs(strangers.sum() - 10_000 * 0.3 * 2) < 200
    assert set(sent.wire_bytes[strangers].tolist()) == {2000}  # only rows that carry messages are drawn
    assert abs(len(stored.t_us) - 50 - 10_000 * 0.2 * 2) < 200
    assert online_clients(wide) == 5 + 1500
    assert len(stores(wide, strangers=False).t_us) == 50
    assert np.all(np.diff(sent.t_us) >= 0)
    again = with_background(view, 10_000, Watched(0.3, 0.2, HOUR), rules, spoken, Seeds(1))
    assert requests(again).t_us.tolist() == sent.t_us.tolist()
    other = with_background(view, 10_000, Watched(0.3, 0.2, HOUR), rules, spoken, Seeds(2))
    assert requests(other).t_us.tolist() != sent.t_us.tolist()


def test_a_crowd_beyond_memory_is_refused_and_not_made_smaller() -> None:
    view = view_of([1], [0], stored=[(1, 0, 0, 500, True)])
    day, rules = Watched(1.0, 0.0, US_PER_DAY), Background(messages_per_day=40.0)
    # 80 copies a day: 125,000 accounts make ten million events.
    with pytest.raises(InvalidInput, match=r"populations: found 130,?000.*at most 125,000"):
        with_background(view, 130_000, day, rules, np.zeros(1, int), Seeds(1))


def test_a_closed_world_is_the_view_itself() -> None:
    view = view_of([1], [0])
    watched = Watched(1.0, 1.0, US_PER_DAY)
    assert with_background(view, 0, watched, Background(), np.zeros(0, int), Seeds(1)) is view


@pytest.mark.parametrize("populations", [(-1,), (5, 5), (10**12,)])
def test_impossible_populations_are_refused(populations: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="populations"):
        Background(populations=populations)
