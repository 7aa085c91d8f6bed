"""Timing attacks: worked cases, floors on unrelated flows, and which of them stands what."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.adversary.attacks._coincidence import coincidence_p_value, coincidences
from sessionsim.adversary.attacks._cross_correlation import binned, cross_correlation
from sessionsim.adversary.attacks._event_trains import chance_partners, event_match, fan_out, merged
from sessionsim.adversary.attacks._likelihood_ratio import (
    erlang_log_density,
    likelihood_ratio,
    normal_log_density,
    pair_scores,
)
from sessionsim.adversary.attacks._packet_counting import packet_counting
from sessionsim.adversary.attacks._watermark import watermark_key, watermark_score, watermarked


def test_posterior_by_hand() -> None:
    # Exponential delays of mean 1: weights e^-3 and e^-1; the input at 5 comes too late.
    found = likelihood_ratio([0.0, 2, 5], [3.0], erlang_log_density(1, 1.0), 0, 100)
    assert found.source.tolist() == [0, 1]
    assert found.prob == pytest.approx([np.exp(-2) / (1 + np.exp(-2)), 1 / (1 + np.exp(-2))])
    best, claimed = found.best()
    assert (best.tolist(), claimed[0]) == ([1], pytest.approx(1 / (1 + np.exp(-2))))
    p = found.prob
    assert found.entropy_bits() == pytest.approx([-(p * np.log2(p)).sum()])


def test_posteriors_of_several_outputs_do_not_mix() -> None:
    found = likelihood_ratio([0.0, 10], [1.0, 11], erlang_log_density(2, 1.0), 0, 5)
    assert found.start.tolist() == [0, 1, 2]
    assert found.prob.tolist() == [1, 1]
    assert found.entropy_bits().tolist() == [0, 0]
    assert found.best()[0].tolist() == [0, 1]


def test_the_right_law_beats_the_nearest_input() -> None:
    rng = np.random.default_rng(1)
    sent = np.sort(rng.uniform(0, 3000, 1500))
    seen = sent + rng.gamma(6, 1.0, 1500)
    order = np.argsort(seen)
    order = order[(seen[order] > 60) & (seen[order] < 2900)]
    best, _ = likelihood_ratio(sent, seen[order], erlang_log_density(6, 1.0), 0, 60).best()
    nearest = np.searchsorted(sent, seen[order]) - 1
    assert np.mean(best == order) > 1.5 * np.mean(nearest == order)


def test_densities_integrate_to_one() -> None:
    x = np.linspace(-2, 60, 200_001)
    for density in (erlang_log_density(1, 0.5), erlang_log_density(3, 2.0), normal_log_density(5, 0.7)):
        assert np.trapezoid(np.exp(density(x)), x) == pytest.approx(1, abs=1e-3)


def test_pairs_with_background_are_told_apart() -> None:
    rng = np.random.default_rng(2)
    a = [np.sort(rng.uniform(0, 300, 30)) for _ in range(8)]
    b = [np.sort(np.r_[t + rng.normal(1, 0.2, 30), rng.uniform(0, 300, 30)]) for t in a]
    scores = pair_scores(a, b, normal_log_density(1, 0.2), 0.1)
    assert (scores.argmax(axis=1) == np.arange(8)).all()
    assert scores[0, 0] > 0 > scores[0, 1]
    assert pair_scores([np.zeros(0)], [np.zeros(0)], normal_log_density(1, 1), 1.0).tolist() == [[0]]


def test_correlation_finds_the_delay_that_counting_in_place_misses() -> None:
    rng = np.random.default_rng(3)
    a = [np.sort(rng.uniform(0, 500, 60)) for _ in range(10)]
    b = [t + 3.0 for t in a]
    x, y = binned(a, 1.0, 510), binned(b, 1.0, 510)
    assert (cross_correlation(x, y, range(6)).argmax(axis=1) == np.arange(10)).all()
    assert (cross_correlation(x, y, [0]).argmax(axis=1) == np.arange(10)).mean() < 0.5
    assert cross_correlation(x, y, [3]).max() == pytest.approx(1)
    assert cross_correlation(np.ones((1, 5)), np.ones((1, 5)), [0]).tolist() == [[0]]
    assert x.sum() == 600


def test_correlation_is_pearsons_over_the_bins_that_both_have() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.poisson(0.4, (3, 50)), rng.poisson(0.4, (4, 50))
    by_hand = [[[np.corrcoef(x[: 50 - lag], y[lag:])[0, 1] for lag in (0, 2)] for y in b] for x in a]
    assert cross_correlation(a, b, [0, 2]) == pytest.approx(np.max(by_hand, axis=2))


def test_events_are_counted_in_bins_and_late_ones_in_the_last() -> None:
    assert binned([np.array([0.1, 0.2, 2.5, 9.0]), np.zeros(0)], 1.0, 3.0).toarray().tolist() == [
        [2, 0, 2],
        [0, 0, 0],
    ]


def test_counting_by_hand() -> None:
    assert packet_counting([[1, 2]], [[1, 2], [2, 0]]).tolist() == [[0, -3]]
    rng = np.random.default_rng(7)
    a, b = rng.poisson(0.4, (3, 50)) / 7, rng.poisson(0.4, (4, 50)) / 5
    assert packet_counting(a, b) == pytest.approx(-np.abs(a[:, None] - b[None]).sum(axis=2))


def test_bursts_become_events() -> None:
    time, size = merged([0.0, 0.1, 0.3, 5.0], [10, 10, 10, 7], 0.5)
    assert (time.tolist(), size.tolist()) == ([0, 5], [30, 7])
    assert len(merged([], [], 1)[0]) == 0


def test_events_match_by_time_and_size() -> None:
    group = (np.array([0.0, 10, 20]), np.array([100.0, 200, 300]))
    link = (np.array([0.5, 10.5, 26.0]), np.array([110.0, 400, 300]))
    assert event_match(group, link, 1.0, 1.2) == pytest.approx(1 / 3)
    assert event_match((np.zeros(0), np.zeros(0)), link, 1, 2) == 0


def test_a_fan_out_stands_out_and_chance_comes_at_its_rate() -> None:
    rng = np.random.default_rng(4)
    background = np.sort(rng.uniform(0, 10_000, 4000))
    kinds = rng.choice(4, 4000, p=[0.4, 0.3, 0.2, 0.1])
    partners, _ = fan_out(background, kinds, 2.0)
    expected = chance_partners(0.4, 2.0, [0.4, 0.3, 0.2, 0.1])
    assert partners.mean() == pytest.approx(expected, rel=0.1)
    group = 5000 + np.linspace(0, 1, 12)
    time = np.r_[background, group]
    kind = np.r_[kinds, np.full(12, 3)]
    order = np.argsort(time)
    partners, tail = fan_out(time[order], kind[order], 2.0)
    first = int(np.flatnonzero(order == 4000)[0])
    assert partners[first] >= 11
    assert tail[first] < 1e-10
    assert np.sort(tail)[20] > 1e-7


def test_a_watermark_is_read_through_jitter_and_not_without_the_key() -> None:
    rng = np.random.default_rng(5)
    key, other = watermark_key(32, rng), watermark_key(32, rng)
    assert key.sum() == 16
    flow = np.sort(rng.uniform(0, 3000, 1500))
    held = watermarked(flow, key, 10.0, 4.0)
    assert (np.diff(held) >= 0).all()
    assert ((held - flow) >= -1e-9).all()
    seen = np.sort(held + rng.normal(0.5, 0.3, 1500))
    assert watermark_score(seen, key, 10.0, 0.5) > 6
    assert abs(watermark_score(np.sort(flow + 0.5), key, 10.0, 0.5)) < 4
    assert abs(watermark_score(seen, other, 10.0, 0.5)) < watermark_score(seen, key, 10.0, 0.5) / 1.5
    assert watermark_score([1.0], key, 10.0) == 0


def test_the_score_of_unmarked_flows_is_standard_normal() -> None:
    rng = np.random.default_rng(6)
    scores = []
    for _ in range(300):
        flow = np.sort(rng.uniform(0, 1000, 200))
        scores.append(watermark_score(flow, watermark_key(20, rng), 10.0))
    assert np.mean(scores) == pytest.approx(0, abs=0.25)
    assert np.std(scores) == pytest.approx(1, abs=0.2)


def test_coincidences_by_hand_and_by_chance() -> None:
    assert coincidences([0.0, 10, 20], [0.5, 9.8, 50], 1.0) == 2
    rng = np.random.default_rng(7)
    a, partner = np.sort(rng.uniform(0, 10_000, 200)), rng.uniform(0, 10_000, (300, 200))
    p = [coincidence_p_value(a, np.sort(b), 2.0, 10_000) for b in partner]
    assert np.mean(np.array(p) < 0.05) < 0.08
    assert coincidence_p_value(a, np.sort(a + 0.5), 2.0, 10_000) < 1e-20
