from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.workload.clock import DAY_S, HOUR_S, BodyClock, day_curve, week_curve
from sessionsim.workload.draws import Rows
from sessionsim.workload.fits import WEEKDAY_SHARES_PERCENT
from sessionsim.workload.patterns.active_pairs import ActivePairs
from sessionsim.workload.patterns.active_pairs import Config as PairsConfig
from sessionsim.workload.patterns.replay import Config as ReplayConfig
from sessionsim.workload.patterns.replay import Replay
from sessionsim.workload.rhythm import Rhythm, after, clocks, keeps, moments, rate

DAY = day_curve(21, 12.0)


def test_without_rhythm_every_hour_is_alike() -> None:
    assert clocks(People.alike(3), Rhythm(diurnal=False), Seeds(1)) == [None] * 3
    assert after(None, 5.0, 2.0) == 7.0
    assert rate(None, 123.0) == 1.0


def test_people_of_one_zone_share_a_clock() -> None:
    first, second = clocks(People.alike(2), Rhythm(), Seeds(1))
    assert first is second
    assert first == BodyClock(DAY, 20.0)


def test_a_country_puts_its_people_into_its_hour() -> None:
    rhythm = Rhythm(zones="countries", start_hour=12.0)
    german, indian = clocks(People(("ios",) * 2, ("DE", "IN")), rhythm, Seeds(1))
    # At noon UTC it is 14:00 in Berlin and 17:30 in Delhi.
    assert rate(german, 0.0) == pytest.approx(DAY[14])
    assert rate(indian, 0.0) == pytest.approx(DAY[17])
    assert rate(indian, HOUR_S / 2) == pytest.approx(DAY[18])


def test_a_zone_hangs_on_the_account_alone() -> None:
    rhythm = Rhythm(zones="countries")
    few, many = (clocks(People(("ios",) * n, ("US",) * n), rhythm, Seeds(1)) for n in (5, 50))
    assert few == many[:5]
    assert len({clock.start_hour for clock in many if clock}) > 2


def test_weekdays_have_the_measured_shares() -> None:
    (clock,) = clocks(People.alike(1), Rhythm(weekly=True, start_weekday="Monday", start_hour=0), Seeds(1))
    assert clock is not None
    edges = [clock._body(day * DAY_S) for day in range(8)]
    shares = np.diff(edges) / (7 * DAY_S)
    assert shares == pytest.approx(np.array(WEEKDAY_SHARES_PERCENT) / 100, abs=1e-9)
    assert clock.rate(0) / clock.rate(2 * DAY_S) == pytest.approx(15.2 / 17.6)


def test_start_weekday_turns_the_week() -> None:
    (clock,) = clocks(People.alike(1), Rhythm(weekly=True, start_weekday="Saturday", start_hour=0), Seeds(1))
    assert rate(clock, 2 * DAY_S) / rate(clock, 0) == pytest.approx(15.2 / 10.0)  # Monday over Saturday


@settings(deadline=None, max_examples=60, derandomize=True)
@given(t_s=st.floats(-1e6, 1e7), wait_s=st.floats(0, 1e6), start=st.floats(-12, 200), week=st.booleans())
def test_a_clock_of_days_or_weeks_runs_forward_and_comes_round(
    t_s: float, wait_s: float, start: float, week: bool
) -> None:
    clock = BodyClock(week_curve(DAY) if week else DAY, start)
    period_s = len(clock.curve) * HOUR_S
    then_s = clock.after(t_s, wait_s)
    assert then_s >= t_s - 1e-3
    assert clock.after(then_s, period_s) == pytest.approx(then_s + period_s, abs=1e-3)
    assert clock.rate(t_s) > 0


def test_moments_follow_the_curve_and_their_rate() -> None:
    clock = BodyClock(DAY, 0.0)
    found = np.array(list(moments(40.0, clock, 0.0, 500 * DAY_S, Rows(Seeds(1), 1, "m"))))
    assert np.all(np.diff(found) > 0)
    # Poisson: 20,000 within three standard deviations; the hours are the curve within 5 % of its top.
    assert len(found) == pytest.approx(20_000, abs=3 * 20_000**0.5)
    hours = np.bincount((found % DAY_S // HOUR_S).astype(int), minlength=24) / len(found) * 24
    assert hours == pytest.approx(DAY, abs=0.05 * max(DAY))
    waits = np.sort([clock._body(b) - clock._body(a) for a, b in itertools.pairwise(found)])
    expected = 1 - np.exp(-waits * 40.0 / DAY_S)
    assert np.abs(expected - (np.arange(len(waits)) + 0.5) / len(waits)).max() < 1.63 / len(waits) ** 0.5


def test_no_rate_no_moments() -> None:
    assert list(moments(0.0, None, 0.0, 1e9, Rows(Seeds(1), 1, "m"))) == []


def test_thinning_keeps_everything_in_the_busiest_hour_and_a_twelfth_in_the_quietest() -> None:
    clock = BodyClock(DAY, 0.0)
    quiet = DAY.index(min(DAY))
    grid = [(k + 0.5) / 1200 for k in range(1200)]
    assert sum(keeps(clock, 21 * HOUR_S, u) for u in grid) == 1200
    assert sum(keeps(clock, quiet * HOUR_S, u) for u in grid) == 100
    assert all(keeps(None, 0.0, u) for u in grid)


def test_pairs_in_conversation_can_have_nights() -> None:
    """The hours of a pair in one zone follow the curve: the evening has its share, the night hardly any."""
    people, flat = People.alike(10), PairsConfig()
    nights = replace(flat, diurnal=True, start_hour=0.0)
    plain, with_nights = (
        ActivePairs(config).intents(people, US_PER_DAY, Seeds(3)) for config in (flat, nights)
    )
    hours = np.bincount([wish.t_us // US_PER_H for wish in with_nights], minlength=24)
    assert len(with_nights) == pytest.approx(len(plain), rel=0.05)
    assert hours / hours.sum() * 24 == pytest.approx(DAY, abs=0.3)


def test_a_replayed_trace_can_be_thinned_to_the_hours(tmp_path) -> None:  # type: ignore[no-untyped-def]
    trace = tmp_path / "trace.csv"
    trace.write_text("".join(f"{k % 2},{1 - k % 2},{k * 20}\n" for k in range(4320)))  # a day, three a minute
    plain = Replay(ReplayConfig(trace=str(trace))).intents(People.alike(2), US_PER_DAY, Seeds(1))
    thin = Replay(ReplayConfig(trace=str(trace), diurnal=True, start_hour=0.0)).intents(
        People.alike(2), US_PER_DAY, Seeds(1)
    )
    assert {(w.t_us, w.body) for w in thin} < {(w.t_us, w.body) for w in plain}
    assert len(thin) / len(plain) == pytest.approx(1 / max(DAY), abs=0.03)
    evening = [sum(w.t_us // US_PER_H == 21 for w in wishes) for wishes in (thin, plain)]
    assert evening[0] == evening[1] == 180
    assert [w.number for w in thin if w.sender == 0] == list(range(sum(w.sender == 0 for w in thin)))
