"""Mutual information: unrelated columns share nothing, although the plug-in says so."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.closed_forms.entropy_bias import null_information_bits
from sessionsim.metrics.estimators.information import (
    independence_p_value,
    information,
    nearest_neighbour_information,
    null_bias_bits,
    plug_in_information,
    table_of,
)


def test_bias_under_independence_is_the_published_one() -> None:
    assert null_bias_bits(10, 10, 1000) == pytest.approx(0.0584, abs=1e-4)
    assert null_information_bits(10, 10, 1000) == pytest.approx(0.0599, abs=3e-4)


def test_unrelated_columns_share_nothing_once_chance_is_taken_off() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(10, size=1000), rng.integers(10, size=1000)
    found = information(x, y, rng, 300)
    assert found.plug_in_bits > 0.03  # the naive answer
    assert found.bits < 0.02
    assert found.p_value > 0.01


def test_a_noisy_copy_shares_what_the_channel_lets_through() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(2, size=20_000)
    y = x ^ (rng.random(20_000) < 0.1)
    found = information(x, y, rng, 200)
    assert found.bits == pytest.approx(0.5310, abs=0.02)
    assert found.p_value == pytest.approx(1 / 201)


def test_p_values_of_unrelated_columns_are_uniform() -> None:
    rng = np.random.default_rng(3)
    p = [
        independence_p_value(table_of(rng.integers(4, size=800), rng.integers(5, size=800)))
        for _ in range(400)
    ]
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.12)
    assert np.mean(np.array(p) < 0.05) < 0.1
    assert independence_p_value([[5, 7]]) == 1


def test_by_hand() -> None:
    assert plug_in_information([[1, 0], [0, 1]]) == pytest.approx(1)
    assert table_of([7, 7, 9], [1, 2, 2]).tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize(("r", "bits"), [(0.5, 0.2075), (0.9, 1.1980)])
def test_nearest_neighbours_meet_the_gaussian_value(r: float, bits: float) -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(8):
        x = rng.normal(size=2000)
        found.append(nearest_neighbour_information(x, r * x + np.sqrt(1 - r * r) * rng.normal(size=2000)))
    assert np.mean(found) == pytest.approx(bits, abs=0.03)


def test_nearest_neighbours_do_not_mind_the_scale_where_binning_does() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=2000)
    y = x + rng.normal(size=2000)
    plain = nearest_neighbour_information(x, y)
    assert nearest_neighbour_information(x, 1000 * y) == pytest.approx(plain, abs=0.1)
    binned = plug_in_information(table_of(np.floor(x), np.floor(1000 * y)))
    assert binned > 3 * plain


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        nearest_neighbour_information([1.0, 2], [1.0, 2], k=3)
