"""Entropies of known distributions, and from counts where the plug-in is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.closed_forms import entropy_bias
from sessionsim.metrics.estimators import entropies
from sessionsim.metrics.estimators.entropy_of_counts import (
    chao_shen,
    doubling_curve,
    grassberger,
    miller_madow,
    min_entropy,
    plug_in,
)


def zipf(n: int) -> np.ndarray:
    weights = 1 / np.arange(1, n + 1)
    return weights / weights.sum()


def test_zipf_of_a_thousand_has_the_published_values() -> None:
    p = zipf(1000)
    assert entropies.shannon(p) == pytest.approx(7.4890, abs=1e-4)
    assert entropies.renyi(p, 2) == pytest.approx(5.0910, abs=1e-4)
    assert entropies.min_entropy(p) == pytest.approx(2.9041, abs=1e-4)
    assert entropies.guesses(p) == pytest.approx(133.59, abs=1e-2)
    assert entropies.degree(p, 1000) == pytest.approx(0.7515, abs=1e-4)
    assert entropies.effective_size(p) == pytest.approx(2**7.4890, rel=1e-4)


def test_uniform_is_guessed_half_way() -> None:
    assert entropies.guesses(np.full(1024, 1 / 1024)) == pytest.approx(512.5)


def test_renyi_meets_shannon_and_min_entropy_at_its_ends() -> None:
    p = zipf(50)
    assert entropies.renyi(p, 1) == entropies.shannon(p)
    assert entropies.renyi(p, 1.0001) == pytest.approx(float(entropies.shannon(p)), abs=1e-3)
    assert entropies.renyi(p, np.inf) == entropies.min_entropy(p)
    assert entropies.renyi(p, 200) == pytest.approx(float(entropies.min_entropy(p)), rel=0.01)


def test_one_number_for_each_distribution() -> None:
    p = np.array([[0.5, 0.5, 0, 0], [1, 0, 0, 0]])
    assert entropies.shannon(p).tolist() == [1, 0]
    assert entropies.guesses(p).tolist() == [1.5, 1]


@pytest.mark.parametrize("wrong", [[0.5, 0.6], [1.2, -0.2], [], [np.nan, 1]])
def test_what_is_no_distribution_is_refused(wrong: list[float]) -> None:
    with pytest.raises(LocalProtocolError, match="not a distribution"):
        entropies.shannon(wrong)


def test_ties_are_no_success() -> None:
    scores, truth = np.array([[0, 0, 0, 0], [1, 3, 2, 3]]), np.array([2, 1])
    assert entropies.rank_of_truth(scores, truth).tolist() == [2.5, 1.5]
    assert entropies.top_success(scores, truth, 1).tolist() == [0.25, 0.5]
    assert entropies.top_success(scores, truth, 2).tolist() == [0.5, 1.0]
    # The naive rank, one more than what is larger, would call the attack that says nothing perfect.
    assert (1 + (scores[0] > scores[0, 2]).sum()) == 1


@pytest.mark.parametrize(
    ("bins", "samples", "plain", "corrected"),
    [(16, 64, 3.8196, 3.9858), (1000, 1000, 9.1391, 9.5945), (1000, 100, 6.547, 7.226),
     (1000, 10000, 9.8924, 9.9644)],
)  # fmt: skip
def test_exact_expectations_are_the_published_ones(
    bins: int, samples: int, plain: float, corrected: float
) -> None:
    assert entropy_bias.plug_in_bits(bins, samples) == pytest.approx(plain, abs=5e-4)
    assert entropy_bias.miller_madow_bits(bins, samples) == pytest.approx(corrected, abs=5e-4)


def test_exact_expectation_by_enumeration() -> None:
    # Two bins, two samples: counts (2,0) or (0,2) half of the time, (1,1) the other half.
    assert entropy_bias.plug_in_bits(2, 2) == pytest.approx(0.5)
    assert entropy_bias.bins_met(2, 2) == pytest.approx(1.5)
    assert entropy_bias.plug_in_bits(1, 5) == 0


def test_estimators_come_out_at_their_expectations() -> None:
    rng = np.random.default_rng(3)
    counts = [rng.multinomial(300, np.full(100, 0.01)) for _ in range(400)]
    for estimator, expected in (
        (plug_in, entropy_bias.plug_in_bits(100, 300)),
        (miller_madow, entropy_bias.miller_madow_bits(100, 300)),
    ):
        found = np.array([estimator(c) for c in counts])
        assert found.mean() == pytest.approx(expected, abs=4.5 * found.std() / 20)


def test_corrections_are_nearer_where_the_plug_in_is_useless() -> None:
    rng, truth = np.random.default_rng(4), np.log2(1000)
    counts = [rng.multinomial(300, np.full(1000, 1e-3)) for _ in range(40)]
    off = {
        f.__name__: abs(np.mean([f(c) for c in counts]) - truth)
        for f in (plug_in, miller_madow, grassberger, chao_shen)
    }
    assert off["plug_in"] > off["miller_madow"] > off["grassberger"] > off["chao_shen"]
    assert off["plug_in"] > 2
    assert off["chao_shen"] < 0.15


def test_corrections_agree_with_many_samples() -> None:
    counts = np.random.default_rng(5).multinomial(200_000, zipf(50))
    truth = float(entropies.shannon(zipf(50)))
    for estimator in (plug_in, miller_madow, grassberger, chao_shen):
        assert estimator(counts) == pytest.approx(truth, abs=0.01)


def test_by_hand() -> None:
    assert plug_in([1, 1, 2, 0]) == pytest.approx(1.5)
    assert miller_madow([1, 1, 2, 0]) == pytest.approx(1.5 + 2 / (8 * np.log(2)))
    assert min_entropy([1, 1, 2]) == 1
    assert chao_shen([5, 0]) == 0
    # G(1) = psi(1) - ln 2 and so on: a pair of singletons gives ln 2 + gamma + ln 2 in nats.
    assert grassberger([1, 1]) * np.log(2) == pytest.approx(np.log(2) + np.euler_gamma + np.log(2))
    with pytest.raises(LocalProtocolError):
        plug_in([0, 0])


def test_doubling_curve_shows_that_the_entropy_still_climbs() -> None:
    samples = np.random.default_rng(6).integers(1000, size=1024)
    curve = doubling_curve(samples, plug_in)
    assert [n for n, _ in curve] == [16, 32, 64, 128, 256, 512, 1024]
    assert curve[-1][1] - curve[-2][1] > 0.5
    assert curve[-1][1] == plug_in(np.bincount(samples))
