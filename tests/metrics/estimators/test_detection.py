"""Detection: base rates, curves that end where the data end, areas with ties."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.closed_forms import detection as known
from sessionsim.metrics.estimators.detection import (
    area_under_curve,
    predictive_value,
    roc,
    threshold_at,
    tpr_at,
)


@pytest.mark.parametrize(
    ("tpr", "fpr", "prior", "value"),
    [(0.93, 1e-5, 1e-5, 0.482), (0.96, 1e-3, 1e-4, 0.0876), (0.80, 1e-3, 1e-6, 8.0e-4)],
)
def test_base_rate_turns_good_rates_into_false_alarms(
    tpr: float, fpr: float, prior: float, value: float
) -> None:
    assert predictive_value(tpr, fpr, prior) == pytest.approx(value, rel=2e-3)
    assert (tpr + 1 - fpr) / 2 > 0.89  # what accuracy in a balanced set would boast of


def test_no_alarm_has_no_value() -> None:
    assert predictive_value(0, 0, 0.5) == 0


def test_two_normals_have_the_published_area_and_rate() -> None:
    assert known.normal_area(1) == pytest.approx(0.7602, abs=1e-4)
    assert known.normal_tpr(3, 1e-3) == pytest.approx(0.4641, abs=1e-4)
    assert known.no_rival_prob(0.1, 1) == pytest.approx(0.905, abs=1e-3)
    rng = np.random.default_rng(1)
    noise, signal = rng.normal(size=20_000), rng.normal(1, 1, size=5_000)
    area = area_under_curve(signal, noise)
    assert area.low < known.normal_area(1) < area.high
    rate = tpr_at(rng.normal(3, 1, 5_000), noise, 1e-3)
    assert rate.value == pytest.approx(known.normal_tpr(3, 1e-3), abs=0.06)


def test_area_counts_ties_half() -> None:
    assert area_under_curve([1, 1], [1, 1]).value == 0.5
    assert area_under_curve([1.0, 2, 3], [0.0, 1]).value == pytest.approx((1.5 + 2 + 2) / 6)


def test_perfect_separation_is_bounded_and_not_certain() -> None:
    area = area_under_curve(np.ones(10), np.zeros(1000))
    assert (area.value, area.high) == (1, 1)
    assert area.low == pytest.approx(0.05 ** (1 / 10))
    assert not area_under_curve([1], [0, 0]).enough


def test_delong_covers_as_often_as_it_says() -> None:
    rng, truth = np.random.default_rng(2), known.normal_area(1)
    hits = 0
    for _ in range(300):
        area = area_under_curve(rng.normal(1, 1, 60), rng.normal(size=80))
        assert area.low is not None
        assert area.high is not None
        hits += area.low <= truth <= area.high
    assert 270 <= hits <= 297


def test_curve_ends_at_ten_false_alarms() -> None:
    rng = np.random.default_rng(3)
    scores = np.r_[rng.normal(3, 1, 500), rng.normal(size=2000)]
    curve = roc(scores, np.r_[np.ones(500), np.zeros(2000)])
    assert curve.limit == 0.005
    assert curve.fpr.min() >= 0.005
    assert (curve.positives, curve.negatives) == (500, 2000)
    assert np.all(np.diff(curve.tpr) >= 0)
    # A single lucky gap between the classes would otherwise be drawn as a rate at FPR 0.
    assert tpr_at(scores[:500], scores[500:], 1e-4).value is None
    assert tpr_at(scores[:500], scores[500:], 1e-4).needed == 100_000


def test_one_class_alone_has_no_curve() -> None:
    curve = roc([1.0, 2.0], [1, 1])
    assert str(curve.area) == "not enough data: 0 wrong pairs, 2 would do"
    assert str(roc([1.0, 2.0, 3.0], [1, 0, 0]).area) == "not enough data: 1 true pair, 2 would do"
    assert tpr_at([], np.arange(100.0), 0.1).n_unit == "positive pair"
    assert len(curve.fpr) == 0


def test_threshold_keeps_its_rate_on_new_data() -> None:
    rng = np.random.default_rng(4)
    threshold = threshold_at(rng.normal(size=50_000), 0.01)
    assert np.mean(rng.normal(size=50_000) > threshold) == pytest.approx(0.01, abs=0.002)
    assert (np.arange(1000) > threshold_at(np.arange(1000), 0.01)).sum() == 10
    with pytest.raises(LocalProtocolError, match="needs 1000"):
        threshold_at(np.zeros(999), 0.01)
