"""Comparisons: pairs of seeds see what separate runs cannot, families of tests are corrected."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.estimators.comparison import (
    false_discovery,
    holm,
    over_seeds,
    paired_difference,
    seeds_needed,
)


def test_mean_over_seeds_is_the_textbook_interval() -> None:
    found = over_seeds([11, 12, 13, 16])
    assert (found.value, found.n_unit) == (13, "seed")
    assert found.high == pytest.approx(13 + 3.18245 * 1.0801, abs=1e-3)
    assert (over_seeds([1, 2]).value, over_seeds([1, 2]).needed) == (None, 3)
    assert str(over_seeds([1, 2])) == "not enough data: 2 seeds, 3 would do"
    assert "95 % t over seeds" in str(found)


def test_common_seeds_show_a_difference_that_separate_runs_hide() -> None:
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 1, 20)
    plain, changed = luck + rng.normal(0, 0.05, 20), luck + 0.1 + rng.normal(0, 0.05, 20)
    found = paired_difference(changed, plain)
    assert found.p_value is not None
    assert found.p_value < 0.001
    assert found.gain is not None
    assert found.gain > 50
    assert stats.ttest_ind(changed, plain).pvalue > 0.5  # the naive comparison
    assert found.estimate.low is not None
    assert found.estimate.high is not None
    assert found.estimate.low < 0.1 < found.estimate.high


def test_a_paired_interval_covers_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(2), 0
    for _ in range(400):
        luck = rng.normal(size=8)
        found = paired_difference(luck + rng.normal(0.3, 1, 8), luck).estimate
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.3 <= found.high
    assert 365 <= hits <= 396


def test_pairs_need_the_same_seeds() -> None:
    with pytest.raises(LocalProtocolError):
        paired_difference([1, 2, 3], [1, 2])
    assert paired_difference([1, 2], [1, 2]).p_value is None
    assert paired_difference([1, 2, 3], [1, 2, 3]).p_value == 1
    assert paired_difference([2, 3, 4], [1, 2, 3]).p_value == 0


def test_seeds_needed_reach_the_width() -> None:
    rng = np.random.default_rng(3)
    needed = seeds_needed(rng.normal(0, 1, 50), 0.2)
    assert 80 < needed < 130
    found = over_seeds(rng.normal(0, 1, needed))
    assert found.high is not None
    assert found.value is not None
    assert found.high - found.value < 0.26


def test_holm_by_hand() -> None:
    rejected, corrected = holm([0.04, 0.01, 0.03])
    # Sorted .01, .03, .04 times 3, 2, 1, never falling: .03, .06, .06.
    assert corrected == pytest.approx([0.06, 0.03, 0.06])
    assert rejected.tolist() == [False, True, False]
    assert len(holm([])[0]) == 0


def test_corrections_are_those_of_statsmodels() -> None:
    p = np.r_[np.random.default_rng(6).random(12) ** 4, 0.01, 0.01, 0.0, 1.0]  # ties and both ends among them
    rejected, corrected, _, _ = multipletests(p, alpha=0.05, method="holm")
    assert holm(p)[1] == pytest.approx(corrected)
    assert holm(p)[0].tolist() == rejected.tolist()
    assert false_discovery(p).tolist() == multipletests(p, alpha=0.05, method="fdr_bh")[0].tolist()


def test_holm_keeps_the_family_where_single_tests_do_not() -> None:
    rng = np.random.default_rng(4)
    families = rng.random((150, 20))  # p-values of true null hypotheses
    assert np.mean([(p < 0.05).any() for p in families]) > 0.5
    assert np.mean([holm(p)[0].any() for p in families]) < 0.1


def test_false_discovery_finds_more_than_holm() -> None:
    p = np.r_[np.full(10, 0.004), np.linspace(0.1, 1, 40)]
    assert false_discovery(p).sum() == 10
    assert holm(p)[0].sum() == 0
    assert len(false_discovery([])) == 0
