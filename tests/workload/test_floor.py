from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.workload.clock import DAY_S, HOUR_S, BodyClock, day_curve
from sessionsim.workload.draws import Luck
from sessionsim.workload.fits import SEND_GAP, SESSION_GAP_S
from sessionsim.workload.floor import Floor, Floors, activity

MEMBERS = list(range(8))
ALONE = Floors(same_writer_share=0.0)


def floor(
    per_day: float, clocks: list[BodyClock | None], sigma: float = 1.0, rules: Floors = ALONE, seed: int = 1
) -> Floor:
    made = Floor("group", 0, per_day, sigma, rules, clocks[0], clocks, Seeds(seed))
    made.open(0.0, in_the_middle=True)
    return made


def talk(made: Floor, days: float) -> list[tuple[float, int]]:
    said = []
    while made.next_s < days * DAY_S:
        said.append((made.next_s, made.speak(MEMBERS)))
    return said


def test_gaps_follow_the_measured_law_at_the_rate_of_the_place() -> None:
    said = talk(floor(20.0, [None] * 8), 1500)
    gaps = np.sort(np.diff([t_s for t_s, _ in said]))
    law = SEND_GAP.with_mean(DAY_S / 20)
    expected = np.array([law.below(gap) for gap in gaps])
    # Kolmogorov-Smirnov at 1 %.
    assert np.abs(expected - (np.arange(len(gaps)) + 0.5) / len(gaps)).max() < 1.63 / len(gaps) ** 0.5
    # The mean of so heavy a tail has a standard error of 5 % after 12,000 long gaps.
    assert len(said) / 1500 == pytest.approx(20.0, rel=0.15)


@pytest.mark.parametrize("per_day", [0.5, 5.0, 100.0, 1000.0])
def test_any_rate_comes_out(per_day: float) -> None:
    days = 40_000 / per_day
    counts = [len(talk(floor(per_day, [None] * 8, seed=seed), days)) for seed in range(2)]
    assert np.mean(counts) / days == pytest.approx(per_day, rel=0.1)  # three standard errors


def test_time_0_is_a_moment_like_any_other() -> None:
    early, late = [], []
    for seed in range(400):
        times = np.array([t_s for t_s, _ in talk(floor(10.0, [None] * 8, seed=seed), 4)])
        early.append(np.sum(times < DAY_S))
        late.append(np.sum(times >= 2 * DAY_S) / 2)
    assert np.mean(early) / np.mean(late) == pytest.approx(1.0, abs=0.08)


def test_writers_have_their_shares() -> None:
    made = floor(200.0, [None] * 8, sigma=1.5)
    counts = Counter(writer for _, writer in talk(made, 100))
    shares = np.array([np.exp(1.5 * Luck(Seeds(1), "part", "group", 0).normal(a)) for a in MEMBERS])
    found = np.array([counts[a] for a in MEMBERS]) / sum(counts.values())
    assert found == pytest.approx(shares / shares.sum(), abs=0.015)


def test_who_wrote_last_goes_on_within_a_sitting_and_not_beyond() -> None:
    said = talk(floor(100.0, [None] * 8, sigma=0.0, rules=Floors(same_writer_share=0.4)), 200)
    soon, late = [], []
    for (t_s, a), (later_s, b) in itertools.pairwise(said):
        (soon if later_s - t_s <= SESSION_GAP_S else late).append(a == b)
    assert np.mean(soon) == pytest.approx(0.4 + 0.6 / 8, abs=0.02)
    assert np.mean(late) == pytest.approx(1 / 8, abs=0.03)


def test_nobody_writes_who_is_not_a_member() -> None:
    made = floor(100.0, [None] * 8)
    for _ in range(50):
        made.speak(MEMBERS)
    assert {made.speak([3, 5]) for _ in range(50)} == {3, 5}


def test_people_write_in_their_own_day() -> None:
    """Two zones twelve hours apart: in the evening of one mostly its people write."""
    curve = day_curve(21, 12.0)
    clocks: list[BodyClock | None] = [BodyClock(curve, 0.0 if a < 4 else 12.0) for a in range(8)]
    said = talk(floor(200.0, clocks, sigma=0.0), 100)
    evening = [writer < 4 for t_s, writer in said if int(t_s % DAY_S // HOUR_S) == 21]
    assert np.mean(evening) == pytest.approx(curve[21] / (curve[21] + curve[9]), abs=0.03)


def test_activity_of_places_has_mean_one() -> None:
    luck = Luck(Seeds(1), "test")
    drawn = np.array([activity(luck, row, 1.0) for row in range(20_000)])
    assert drawn.mean() == pytest.approx(1.0, abs=0.04)
    assert np.log(drawn).std() == pytest.approx(1.0, abs=0.02)
