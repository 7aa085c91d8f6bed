"""Mixes, crowds, queues, trilemma, guards and captures: the published values."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.metrics.closed_forms import mixes, paths
from sessionsim.workload.lengths import histogram


@pytest.mark.parametrize(
    ("batch", "kept", "bits"), [(20, 10, 5.6994), (10, 10, 5.3219), (100, 0, 6.6439), (50, 150, 8.8890)]
)
def test_pool_mix(batch: int, kept: int, bits: float) -> None:
    assert mixes.pool_mix_bits(batch, kept) == pytest.approx(bits, abs=1e-4)


@pytest.mark.parametrize(
    ("n", "corrupt", "bits", "degree"),
    [(20, 1, 3.7244, 0.8768), (100, 5, 5.4961, 0.8366), (1000, 50, 7.9058, 0.7992)],
)
def test_crowds(n: int, corrupt: int, bits: float, degree: float) -> None:
    found = mixes.crowds_entropy_bits(n, corrupt, 0.75)
    assert found == pytest.approx(bits, abs=1e-4)
    assert found / np.log2(n - corrupt) == pytest.approx(degree, abs=1e-4)
    assert mixes.crowds_probably_innocent(n, corrupt, 0.75) == (
        mixes.crowds_initiator(n, corrupt, 0.75) <= 0.5
    )


def test_crowds_at_the_ends() -> None:
    assert mixes.crowds_initiator(20, 1, 0.75) == pytest.approx(0.325)
    assert mixes.crowds_entropy_bits(20, 1, 0.0) == 0
    assert not mixes.crowds_probably_innocent(3, 1, 0.9)


@pytest.mark.parametrize(
    ("rounds", "dummies", "bound"),
    [(3, 0, 0.99970), (3, 0.01, 0.96970), (10, 0.05, 0.49895), (60, 0.01, 0.39394), (100, 0.01, 0)],
)
def test_trilemma_of_synchronised_users(rounds: int, dummies: float, bound: float) -> None:
    assert mixes.trilemma_synchronised(10_000, rounds, dummies) == pytest.approx(bound, abs=1e-5)


@pytest.mark.parametrize(("send", "rounds", "bound"), [(0.01, 3, 0.4703), (0.05, 10, 0.0987), (0.1, 10, 0)])
def test_trilemma_of_unsynchronised_users(send: float, rounds: int, bound: float) -> None:
    assert mixes.trilemma_unsynchronised(send, rounds) == pytest.approx(bound, abs=1e-4)


def test_slot_queue() -> None:
    assert mixes.slot_delay(1, 0.5) == 2


@pytest.mark.parametrize(("bucket", "bits", "sizes"), [(1, 7.082, None), (160, 0.254, 6), (256, 0.085, 4)])
def test_padded_sizes(bucket: int, bits: float, sizes: int | None) -> None:
    found = mixes.padded_size_bits(dict(zip(*histogram(), strict=True)), bucket)
    assert found[0] == pytest.approx(bits, abs=1e-3)
    assert sizes in (None, found[1])


@pytest.mark.parametrize(
    ("f", "works"), [(0.05, 0.00291), (0.1, 0.01353), (0.2, 0.07246), (1 / 3, 0.2727), (0.5, 0.6667)]
)
def test_selective_denial(f: float, works: float) -> None:
    assert paths.compromised_if_working(f, 3) == pytest.approx(works, rel=2e-3)
    assert paths.compromised_if_working(0.6, 3) == pytest.approx(0.849, abs=5e-4)


@pytest.mark.parametrize(
    ("f", "n", "periods", "share"),
    [(0.05, 100, 1, 0.0497), (0.05, 100, 12, 0.4576), (0.1, 1000, 1, 0.1), (0.1, 1000, 12, 0.7176)],
)
def test_guards(f: float, n: int, periods: int, share: float) -> None:
    assert paths.after_guards(f, n, periods) == pytest.approx(share, abs=1e-4)


def test_guards_of_one_path_each_are_fresh_paths() -> None:
    assert paths.after_guards(0.1, 1, 50) == pytest.approx(paths.after_rebuilds(0.1, 50))


@pytest.mark.parametrize(("f", "r", "share"), [(0.05, 100, 0.2214), (0.05, 1000, 0.9182), (0.1, 100, 0.6340)])
def test_rebuilds(f: float, r: int, share: float) -> None:
    assert paths.after_rebuilds(f, r) == pytest.approx(share, abs=1e-4)


def test_newcomers_fall_into_small_swarms_one_after_another() -> None:
    # Eight swarms of five: the size at the first quarter stays 5 until one of these is left, which shares.
    found = paths.swarm_reached_by_size({5: 8}, {5: 1.0}, 25, 8)
    assert found == pytest.approx([*(k / 8 for k in range(1, 8)), 7 / 8 + 1 / 8 * 1 / 8])
    # Who is in a large one is not reached at first; anywhere means any swarm.
    assert paths.swarm_reached_by_size({5: 4, 9: 4}, {9: 1.0}, 25, 2) == [0.0, 0.0]
    assert paths.swarm_reached_by_size({5: 4, 9: 4}, {9: 1.0}, 100, 1) == pytest.approx([1 / 8])


def test_a_new_swarm_is_formed_of_what_is_beyond_the_least_size() -> None:
    # One swarm of five: seven of new, two of margin; the ninth newcomer is one too many.
    assert paths.registrations_before_new({5: 1}, 5, 7, 2) == 8
    assert paths.registrations_before_new({5: 250, 6: 2}, 5, 7, 2) == 7 + 504 - 1 - 2
    assert paths.registrations_before_new({14: 1}, 5, 7, 2) == 0


def test_swarm_capture_and_its_price() -> None:
    assert paths.registrations_for(228, 0.5) == 158
    assert paths.swarm_reached(228, 228) == pytest.approx(0.633, abs=1e-3)
    # threat-model 4: 5 % beside 1,500 honest nodes is 79 nodes of 25,000 SESH.
    assert paths.stake(0.05, 1500, 25_000) == pytest.approx(1.974e6, rel=1e-3)
