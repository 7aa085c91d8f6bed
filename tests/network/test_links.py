"""Delays against the measured round trips they come from."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.core.seeds import Seeds
from sessionsim.network import links as module
from sessionsim.network.links import LinkRules, Links, delays_us, measured_pairs

STILL = LinkRules(jitter="none")
HALF = 1 << 63


def between(sites: list[int], rules: LinkRules = STILL) -> Links:
    return Links(sites, [0] * len(sites), [0] * len(sites), rules)


def test_table_has_the_statistics_of_the_specification() -> None:
    pairs = [measured_pairs()[a][b] for a in range(222) for b in range(a)]
    means = sorted(mean for _, mean, _ in pairs)
    assert len(pairs) == 24531
    assert sum(means) / len(means) == pytest.approx(150.9, abs=0.05)  # metrics 5
    assert [round(means[int(q * len(means))]) for q in (0.05, 0.25, 0.5, 0.75, 0.95)] == [
        23,
        77,
        142,
        215,
        312,
    ]


def test_base_is_half_the_smallest_round_trip() -> None:
    one = between([0, 1, 2])
    assert one.base_rtt_us(0, 1) == 305_820
    assert one.delay_us(0, 1, 0, HALF) == 152_910
    assert one.delay_us(1, 0, 5000, 7) == 152_910  # a node's line is not limited, and nothing is drawn
    assert one.delay_us(0, 2, 0, HALF) == round(153.79e3 / 2)
    assert between([0, 1], LinkRules(rtt="avg", jitter="none")).base_rtt_us(0, 1) == 308_690


def test_machines_at_one_site_are_half_a_millisecond_apart_without_jitter() -> None:
    one = between([7, 7], LinkRules())
    assert one.base_rtt_us(0, 1) == 500
    assert {one.delay_us(0, 1, 1000, draw << 55) for draw in range(512)} == {250}
    assert between([7, 7], LinkRules(same_site_rtt_us=0)).base_rtt_us(0, 1) == 0


def test_bytes_take_time_on_the_senders_uplink_and_the_receivers_downlink() -> None:
    rules = LinkRules(jitter="none", last_mile_us=0)
    one = Links([3, 3, 3], [1_000_000, 2_000_000, 0], [8_000_000, 4_000_000, 0], rules)
    # 1,000 bytes: 8 ms up at 1 Mbit/s, 2 ms down at 4 Mbit/s; the other way 4 ms up and 1 ms down.
    assert one.delay_us(0, 1, 1000, 0) == 250 + 8_000 + 2_000
    assert one.delay_us(1, 0, 1000, 0) == 250 + 4_000 + 1_000
    assert one.delay_us(0, 2, 1000, 0) == 250 + 8_000
    assert one.delay_us(2, 0, 1000, 0) == 250 + 1_000


def test_last_mile_belongs_to_clients_only() -> None:
    one = Links([3, 3, 3], [10**9, 10**9, 0], [10**9, 10**9, 0], LinkRules(last_mile_us=7_000))
    assert one.delay_us(0, 2, 0, 0) == one.delay_us(2, 0, 0, 0) == 250 + 7_000
    assert one.delay_us(0, 1, 0, 0) == 250 + 14_000
    assert one.base_rtt_us(0, 2) == 500 + 14_000
    assert one.base_rtt_us(2, 2) == 500


def leaves() -> Iterator[tuple[int, float]]:
    """All steps of the three tables: a draw that leads there, and its probability."""
    for level in (1, 2, 3):
        before = sum(4095 << (64 - 12 * k) for k in range(1, level))
        for step in range(4096 if level == 3 else 4095):
            yield before | step << (64 - 12 * level), 4096.0**-level


LEAVES = tuple(leaves())
STRIDE = [(a, b) for a in range(0, 222, 37) for b in range(1, 222, 23) if a != b]


def test_steps_of_the_tables_cover_everything_in_rising_order() -> None:
    assert sum(weight for _, weight in LEAVES) == pytest.approx(1, abs=1e-12)
    draws = [draw for draw, _ in LEAVES]
    assert draws == sorted(draws)
    heights = [module._Z[d >> 52] if d >> 52 != 4095 else module._tail(d) for d in draws]
    assert heights == sorted(heights)
    assert heights[0] == pytest.approx(-heights[4095 - 1], abs=0.3)
    assert heights[-1] == pytest.approx(6.75, abs=0.01)


@pytest.mark.parametrize(("a", "b"), STRIDE)
def test_jitter_has_the_measured_mean_and_deviation_over_a_round_trip(a: int, b: int) -> None:
    smallest, mean, deviation = (1000 * ms for ms in measured_pairs()[a][b])
    one = between([a, b], LinkRules())
    delays = [(one.delay_us(0, 1, 0, draw), weight) for draw, weight in LEAVES]
    first = sum(delay * weight for delay, weight in delays)
    second = sum((delay - first) ** 2 * weight for delay, weight in delays)
    # Two transmissions make a round trip: means add, variances add. Rounding down costs 0.5 us each.
    assert 2 * first == pytest.approx(mean, abs=0.003 * (mean - smallest) + 1.5)
    assert math.sqrt(2 * second) == pytest.approx(deviation, rel=0.03, abs=1.0)


def test_jitter_of_all_pairs_is_met_within_the_stated_bounds() -> None:
    """What the module's text promises, worked out for the distribution itself: pairs x steps."""
    z = np.array([module._Z[d >> 52] if d >> 52 != 4095 else module._tail(d) for d, _ in LEAVES])
    weight = np.array([w for _, w in LEAVES])
    errors = []
    for a in range(0, 222, 7):
        for b in range(a + 1, 222, 5):
            smallest, mean, deviation = measured_pairs()[a][b]
            m, s = (mean - smallest) / 2, deviation / math.sqrt(2)
            variance = math.log1p((s / m) ** 2)
            x = m * np.exp(math.sqrt(variance) * z - variance / 2)
            got = float(x @ weight)
            errors.append((abs(got / m - 1), abs(math.sqrt(float(x * x @ weight) - got**2) / s - 1)))
    means, deviations = (sorted(column) for column in zip(*errors, strict=True))
    assert means[-1] < 0.003
    assert deviations[-1] < 0.05
    assert deviations[len(deviations) // 2] < 0.0025


def test_larger_draw_never_means_a_shorter_delay() -> None:
    one = between([4, 150], LinkRules())
    delays = [one.delay_us(0, 1, 100, draw) for draw, _ in LEAVES]
    assert delays == sorted(delays)
    assert delays[0] * 2 >= one.base_rtt_us(0, 1)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 10**7),
    st.integers(0, 2**64 - 1),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8),
)
def test_delay_is_a_function_of_its_arguments(
    src: int, dst: int, size: int, draw: int, others: list[tuple[int, int]]
) -> None:
    def make() -> Links:
        return Links(
            [0, 9, 9, 80, 221, 5], [0, 0, 0, 0, 10**7, 10**6], [0, 0, 0, 0, 10**8, 10**6], LinkRules()
        )

    fresh, used = make(), make()
    for a, b in others:
        used.delay_us(a, b, 77, draw ^ 1)
    delay = fresh.delay_us(src, dst, size, draw)
    assert type(delay) is int
    assert delay == used.delay_us(src, dst, size, draw)
    assert 2 * delay >= fresh.base_rtt_us(src, dst)
    assert fresh.base_rtt_us(src, dst) == used.base_rtt_us(dst, src)
    assert fresh.delay_us(src, dst, size + 1000, draw) >= delay


@pytest.mark.parametrize(
    ("sites", "up", "down"),
    [
        ([0], [0, 0], [0]),
        ([0], [0], []),
        ([222], [0], [0]),
        ([-1], [0], [0]),
        ([0], [-1], [0]),
        ([0], [0], [-5]),
    ],
)
def test_impossible_endpoints_are_our_mistake(sites: list[int], up: list[int], down: list[int]) -> None:
    with pytest.raises(LocalProtocolError):
        Links(sites, up, down, LinkRules())


@pytest.mark.parametrize("wrong", [{"rtt": "max"}, {"jitter": "some"}, {"rtt": "avg"}])
def test_rules_that_contradict_or_do_not_exist_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        LinkRules(**wrong)


def test_many_delays_at_once_are_those_of_each() -> None:
    links = Links([0, 5, 60, 200], [0, 2_000_000, 0, 0], [0, 9_000_000, 0, 0], LinkRules())
    draws = Seeds(1).stream("draws").integers(0, 1 << 64, 2000, dtype=np.uint64)
    # The last steps of the tables, where the tail is split further.
    draws[:5] = [(1 << 64) - 1, 4095 << 52, (4095 << 52) | (4095 << 40), ((1 << 64) - 1) ^ (1 << 28), 0]
    for src, dst in ((0, 1), (1, 0), (2, 3), (3, 3)):
        bytes_us = np.full(2000, 777 * links.us_per_byte(src, dst))
        ways = links.ways(np.full(2000, src), np.full(2000, dst))
        many = delays_us(*ways, bytes_us, draws)
        assert many.tolist() == [links.delay_us(src, dst, 777, int(draw)) for draw in draws]
