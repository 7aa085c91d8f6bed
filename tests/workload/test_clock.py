import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.workload.clock import DAY_S, HOUR_S, BodyClock, day_curve
from sessionsim.workload.fits import HOUR_SHARES_PERCENT


def test_curve_has_the_wanted_peak_ratio_and_mean() -> None:
    curve = day_curve(21, 12.0)
    assert curve.index(max(curve)) == 21
    assert max(curve) / min(curve) == pytest.approx(12.0)
    assert sum(curve) / 24 == pytest.approx(1.0)


def test_unchanged_curve_is_the_measured_one() -> None:
    ratio = max(HOUR_SHARES_PERCENT) / min(HOUR_SHARES_PERCENT)
    scale = 24 / sum(HOUR_SHARES_PERCENT)
    assert day_curve(0, ratio) == pytest.approx([share * scale for share in HOUR_SHARES_PERCENT])


def test_ratio_of_one_is_flat() -> None:
    assert day_curve(3, 1.0) == pytest.approx([1.0] * 24)


@pytest.mark.parametrize(("hour", "ratio"), [(24, 12.0), (-1, 12.0), (21, 0.5), (21, 40.0)])
def test_impossible_curve_is_refused(hour: int, ratio: float) -> None:
    with pytest.raises(InvalidInput):
        day_curve(hour, ratio)


def test_curve_with_an_empty_hour_is_refused() -> None:
    with pytest.raises(InvalidInput, match="above 0"):
        BodyClock((0.0,) * 24, 0.0)


def test_an_hour_passes_at_the_rate_of_the_curve() -> None:
    curve = day_curve(21, 12.0)
    clock = BodyClock(curve, start_hour=21.0)
    # Half an hour on the wall in the peak hour is half an hour times its rate on the body clock.
    assert clock.after(0.0, 0.5 * HOUR_S * curve[21]) == pytest.approx(0.5 * HOUR_S)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(t_s=st.floats(-1e6, 1e7), wait_s=st.floats(0, 1e6), start=st.floats(0, 24), days=st.integers(0, 5))
def test_clock_runs_forward_and_whole_days_take_a_day(
    t_s: float, wait_s: float, start: float, days: int
) -> None:
    clock = BodyClock(day_curve(21, 12.0), start)
    then_s = clock.after(t_s, wait_s)
    assert then_s >= t_s - 1e-3
    assert clock.after(then_s, days * DAY_S) == pytest.approx(then_s + days * DAY_S, abs=1e-3)
    assert clock.after(t_s, wait_s + 3600) == pytest.approx(clock.after(then_s, 3600), abs=1e-3)


def test_steady_body_time_gives_the_curve_on_the_wall() -> None:
    curve = day_curve(21, 12.0)
    clock = BodyClock(curve, start_hour=0.0)
    moments = [clock.after(0.0, k * DAY_S / 4800) for k in range(4800)]
    counts = np.histogram(moments, bins=24, range=(0, DAY_S))[0]
    assert counts / 200 == pytest.approx(curve, abs=0.011)
