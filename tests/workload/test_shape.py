import numpy as np
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
from sessionsim.workload.shape import (
    PROBABILITIES,
    TABLES,
    arrays,
    ks_distance,
    quantile_table,
    reply_delays,
    send_gaps,
    session_sizes,
    shipped_quantiles,
)

#         1→2 at 0, 1→2 at 10 (same turn), 2→1 at 60 (answer), 1→3 at 70, 1→2 at 3000 (answer, new session)
SRC = np.array([1, 1, 2, 1, 1])
DST = np.array([2, 2, 1, 3, 2])
TIME_S = np.array([0, 10, 60, 70, 3000])


def test_gaps_of_a_small_talk_by_hand() -> None:
    assert send_gaps(SRC, TIME_S).tolist() == [10, 60, 2930]


def test_answers_of_a_small_talk_by_hand() -> None:
    # From the first message of the turn: 0 → 60, and 60 → 3000. The message to 3 is never answered.
    assert reply_delays(SRC, DST, TIME_S).tolist() == [60, 2940]


def test_sessions_of_a_small_talk_by_hand() -> None:
    assert session_sizes(SRC, TIME_S).tolist() == [3, 1, 1]


def test_nothing_has_no_gaps_answers_or_sessions() -> None:
    src, dst, time_s = arrays([])
    assert (
        len(send_gaps(src, time_s))
        == len(reply_delays(src, dst, time_s))
        == len(session_sizes(src, time_s))
        == 0
    )


def test_arrays_are_in_seconds() -> None:
    src, dst, time_s = arrays([Intent(1_500_000, 3, 4, "hi")])
    assert (src.tolist(), dst.tolist(), time_s.tolist()) == ([3], [4], [1.5])


@pytest.mark.parametrize("table", TABLES)
def test_shipped_quantiles_ascend(table: str) -> None:
    quantiles = shipped_quantiles(table)
    assert len(quantiles) == len(PROBABILITIES) == 201
    assert np.all(np.diff(quantiles) >= 0)


def test_shipped_quantiles_are_the_published_ones() -> None:
    gaps = dict(zip(PROBABILITIES, shipped_quantiles("send_gap_s"), strict=True))
    # metrics 4.1: 5 % 21 s, 25 % 120 s, 50 % 580 s, 75 % 7.5 h, 90 % 40 h.
    assert [gaps[p] for p in (0.05, 0.25, 0.5)] == [21, 120, 580]
    assert [gaps[p] / 3600 for p in (0.75, 0.9)] == pytest.approx([7.5, 40], rel=0.01)
    with pytest.raises(InvalidInput, match="send_gap_s"):
        shipped_quantiles("gap")


def test_sample_of_the_table_is_near_it_and_a_shifted_one_is_not() -> None:
    table = shipped_quantiles("send_gap_s")
    sample = np.interp(np.random.default_rng(3).random(10_000), PROBABILITIES, table)
    assert ks_distance(sample, table) < 0.02
    assert ks_distance(sample * 1.5, table) > 0.03
    assert ks_distance(np.full(10, 580.0), table) == pytest.approx(0.5)


def test_distance_of_a_known_case() -> None:
    # Uniform on 0..1 against two values: the empirical law is 0.5 at 0.25 and 1 at 0.5.
    assert ks_distance([0.25, 0.5], np.asarray(PROBABILITIES)) == pytest.approx(0.5)
    with pytest.raises(InvalidInput):
        ks_distance([], np.asarray(PROBABILITIES))


def test_quantile_table_of_a_ramp_is_the_ramp() -> None:
    assert quantile_table(np.arange(201)) == [float(k) for k in range(201)]
