"""How cost grows with clients and with simulated time.

What is counted (transmissions, polls in bulk, what stays in memory) is asserted in ordinary runs, at a size
that takes seconds. Times are asserted only with SESSIONSIM_TARGETS=1 in the environment, on a machine that
does nothing else:

    a day of 2,000 clients within ten minutes and 2 GB (each simulated hour is told as it ends)
    idle polls in bulk thirty times cheaper than one by one
    a delivered message at most 15 % dearer among 2,000 clients than among 200
"""

from __future__ import annotations

import os
import resource
import sys
import time
import tracemalloc

import pytest

from sessionsim.core.records import MemoryRecords
from sessionsim.core.units import US_PER_H
from sessionsim.network.world import build
from sessionsim.selfcheck.scale import run_cost, spec_of_size

TARGETS = pytest.mark.skipif(
    not os.environ.get("SESSIONSIM_TARGETS"), reason="times are only asserted with SESSIONSIM_TARGETS=1"
)
# Messages a day at which a short run holds enough of them.
LIVELY = 600.0


@pytest.mark.slow
def test_a_message_causes_as_many_transmissions_among_many_as_among_few() -> None:
    """The part of a run that messages cause: two runs that differ in nothing but their messages."""
    each = []
    for clients in (12, 48):
        quiet, lively = (
            run_cost(spec_of_size(clients, 0.25, messages_per_day=rate), watched=0) for rate in (1.0, LIVELY)
        )
        more = lively.delivered - quiet.delivered
        assert more > 2 * clients
        polls = (quiet.polls_in_bulk - lively.polls_in_bulk) * 8  # now carried out one by one
        each.append((lively.transmissions - quiet.transmissions - polls) / more)
    assert each[1] == pytest.approx(each[0], rel=0.15)


@pytest.mark.slow
def test_most_polls_of_a_quiet_hour_are_drawn_in_bulk() -> None:
    cost = run_cost(spec_of_size(12, 1.0, messages_per_day=1.0), watched=0)
    polls = 4 * 720 * 2 + 4 * 1800 + 4 * 2400  # desktop asks two nodes every 5 s, Android 2 s, iOS 1.5 s
    assert cost.polls_in_bulk > 0.8 * polls  # a round also lasts until its answers are there
    # Tests of rotated paths, node lists, and a poll or two beside each of them.
    assert cost.transmissions < 8 * 0.03 * polls


def held_bytes(hours: float) -> int:
    """Peak of the memory that a run without messages takes beside its world, bytes."""
    world = build(spec_of_size(6, hours, messages_per_day=0.001))
    tracemalloc.start()
    try:
        world.run(MemoryRecords(), frozenset())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_does_not_grow_with_simulated_time() -> None:
    short, long = held_bytes(0.5), held_bytes(2.0)
    assert long < 1.2 * short


class Hours:
    """Tells on the terminal how long each simulated hour took, and how much memory there was at most."""

    def __init__(self) -> None:
        self.hours = 0
        self._begun = time.monotonic()

    def __call__(self, t_us: int) -> None:
        if t_us < (self.hours + 1) * US_PER_H:
            return
        self.hours += 1
        now, peak_kb = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sys.stderr.write(f"\nhour {self.hours}: {now - self._begun:.1f} s, {peak_kb >> 10} MB")
        self._begun = now


def test_hours_are_told_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    told = Hours()
    for quarter in range(1, 12):
        told(quarter * US_PER_H // 4)
    assert told.hours == 2
    lines = capsys.readouterr().err.split("\n")[1:]
    assert [line.split(":")[0] for line in lines] == ["hour 1", "hour 2"]


@TARGETS
@pytest.mark.slow
def test_idle_polls_in_bulk_cost_a_thirtieth() -> None:
    """Of what a poll costs by itself: two lengths of one run, so that the beginning does not count."""
    each = []
    for how in ("each", "bulk"):
        short, long = (
            run_cost(spec_of_size(30, hours, messages_per_day=0.001, idle_polls=how), watched=0)
            for hours in (0.2, 0.6)
        )
        each.append(long.seconds - short.seconds)
    assert each[0] > 30 * each[1], f"{each[0] / each[1]:.1f} times"


@TARGETS
@pytest.mark.slow
def test_a_message_costs_little_more_among_2000_clients_than_among_200() -> None:
    few, many = (run_cost(spec_of_size(clients, 0.5, messages_per_day=100.0)) for clients in (200, 2000))
    assert many.us_per_message < 1.15 * few.us_per_message, (few, many)


@TARGETS
@pytest.mark.slow
def test_a_day_of_2000_clients_ends_within_ten_minutes_and_two_gigabytes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the clock on the wall, with the world and its people made beforehand counted in."""
    begun, told = time.monotonic(), Hours()
    with capsys.disabled():
        cost = run_cost(spec_of_size(2000, 24.0), progress=told)
    took_s, peak_kb = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert told.hours == 23
    assert took_s < 600, (took_s, cost)
    assert peak_kb < 2 << 20, (peak_kb, cost)
