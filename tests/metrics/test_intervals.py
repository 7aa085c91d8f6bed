"""Intervals against statsmodels, against values worked by hand, and against what they promise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from sessionsim.metrics._intervals import (
    Units,
    clopper_pearson,
    mean,
    quantile,
    rate_difference,
    share,
    units_of,
    wilson,
    zero_event_bound,
)


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (3, 20), (20, 20), (17, 1000), (11.875, 12)])
def test_proportion_intervals_are_those_of_statsmodels(hits: float, trials: int) -> None:
    assert wilson(hits, trials) == pytest.approx(proportion_confint(hits, trials, method="wilson"), abs=1e-12)
    if hits != int(hits):
        return  # only a share of a tie is not whole, and it has no exact interval
    exact = proportion_confint(hits, trials, method="beta")
    assert clopper_pearson(hits, trials) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize(("n", "f"), [(2_995, 1e-3), (29_956, 1e-4), (299_572, 1e-5)])
def test_negatives_needed_for_a_false_positive_rate(n: int, f: float) -> None:
    # metrics 0.3 [C]: the smallest n whose bound is at or below f.
    assert zero_event_bound(n) <= f < zero_event_bound(n - 1)


def test_mean_over_units_of_one_trial_is_the_textbook_t_interval() -> None:
    estimate = mean(Units(np.array([11.0, 12.0, 13.0, 16.0]), np.ones(4), "seed", 4))
    # mean 13, sd 2.1602, standard error 1.0801, t(3) 3.18245
    assert estimate.value == pytest.approx(13.0)
    assert estimate.high == pytest.approx(13 + 3.18245 * 1.0801, abs=1e-3)
    assert estimate.low == pytest.approx(13 - 3.18245 * 1.0801, abs=1e-3)


def test_an_interval_of_what_cannot_be_negative_starts_at_zero() -> None:
    estimate = mean(Units(np.array([0.0, 0.0, 9.0]), np.ones(3), "seed", 3))
    assert (estimate.value, estimate.low, estimate.interval) == (3.0, 0.0, "95 % t over seeds, cut at 0")


def test_two_units_give_no_number_but_say_how_many_would_do() -> None:
    estimate = mean(Units(np.array([1.0, 2.0]), np.ones(2), "seed", 2))
    assert (estimate.value, estimate.low, estimate.high, estimate.needed) == (None, None, None, 3)


def test_who_has_too_few_trials_hears_of_trials_and_not_of_seeds() -> None:
    none = [(np.zeros(2), np.zeros(2))] * 4
    assert str(share(units_of(none, trial="alarm"))) == "not enough data: 0 seeds with an alarm, 3 would do"
    some = [*none, (np.ones(2), np.array([2.0, 2.0]))]
    assert str(share(units_of(some, trial="push"))) == "not enough data: 1 seed with a push, 3 would do"
    assert str(mean(units_of(none[:2]))) == "not enough data: 0 accounts, 3 would do"
    assert str(mean(units_of([]))) == "not enough data: 0 accounts, 3 would do"


def test_a_difference_without_trials_on_one_side_says_of_what() -> None:
    many, none = Units(np.ones(4), np.full(4, 2.0), "seed", 8), Units(np.zeros(4), np.zeros(4), "seed", 0)
    found = rate_difference(many, replace(none, trial="wrong pair"))
    assert str(found) == "not enough data: 0 wrong pairs, 3 would do"
    assert str(rate_difference(replace(none, trial="true pair"), many)).startswith(
        "not enough data: 0 true pairs"
    )
    few = Units(np.ones(2), np.ones(2), "seed", 2)
    assert str(rate_difference(few, few)) == "not enough data: 2 seeds, 3 would do"


def test_seeds_are_the_unit_once_there_are_three_of_them_and_accounts_before() -> None:
    one = (np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    assert units_of([one, one]).unit == "account"
    assert units_of([one, one]).trials.tolist() == [2.0, 2.0]
    seeds = units_of([one, one, one])
    assert (seeds.unit, seeds.trials.tolist(), seeds.accounts) == ("seed", [2.0, 2.0, 2.0], 3)


def test_no_loss_at_all_gives_the_exact_bound_over_accounts() -> None:
    per_seed = [(np.full(20, 5.0), np.full(20, 5.0))] * 3
    estimate = share(units_of(per_seed))
    assert (estimate.value, estimate.high, estimate.n, estimate.n_unit) == (1.0, 1.0, 60, "account")
    assert estimate.low == pytest.approx(0.05 ** (1 / 60))


def test_a_dependent_message_does_not_narrow_the_interval() -> None:
    few = [(np.array([float(k % 2)]), np.array([1.0])) for k in range(6)]
    many = [(100 * hits, 100 * trials) for hits, trials in few]
    a, b = share(units_of(few)), share(units_of(many))
    assert (a.low, a.high) == pytest.approx((b.low, b.high))


def test_quantile_waits_for_enough_values() -> None:
    values = np.arange(199.0)
    units = np.repeat(np.arange(10.0), 20)[:199]
    short = quantile(values, units, "seed", 0.95, 10)
    assert (short.value, short.needed) == (None, 200)
    short = quantile(values, units, "seed", 0.95, 10, "question")
    assert str(short) == "not enough data: 199 questions, 200 would do"
    full = quantile(np.arange(200.0), np.repeat(np.arange(10.0), 20), "seed", 0.95, 10)
    assert full.value == pytest.approx(np.quantile(np.arange(200.0), 0.95))


def test_woodruff_interval_covers_the_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    seeds, each, covered, runs = 9, 40, 0, 400
    for _ in range(runs):
        shift = rng.normal(0, 0.5, seeds)  # what the messages of one seed share
        values = (shift[:, None] + rng.normal(0, 1, (seeds, each))).ravel()
        estimate = quantile(values, np.repeat(np.arange(seeds), each).astype(float), "seed", 0.5, 10)
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= 0 <= estimate.high
    assert 0.90 <= covered / runs <= 0.99


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_a_share_always_lies_in_its_interval_and_in_zero_to_one(pairs: list[tuple[int, int]]) -> None:
    per_seed = [(np.array([float(min(h, n))]), np.array([float(n)])) for h, n in pairs]
    estimate = share(units_of(per_seed))
    if estimate.value is not None:
        assert estimate.low is not None
        assert estimate.high is not None
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_a_part_of_a_tie_counts_as_a_part_and_stays_inside_its_interval() -> None:
    ones = np.ones(12)
    estimate = share(Units(np.r_[np.ones(11), 0.875], ones, "account", 12))
    assert estimate.value == pytest.approx(11.875 / 12)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 11.875 / 12 < estimate.high < 1
