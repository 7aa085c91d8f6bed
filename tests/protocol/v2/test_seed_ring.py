"""Account seeds: rotation, crossing rotations, retention; what several devices hold settles to one state."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.v2 import AccountSeed, SeedRing
from sessionsim.protocol.v2.seed_ring import LATEST_S

DAY_S = 86_400


def seed(k: int) -> bytes:
    return bytes([k]) * 32


def ring_of(*seeds: AccountSeed) -> SeedRing:
    ring = SeedRing()
    ring.merge(seeds)
    return ring


def test_a_rotation_replaces_the_active_seed_at_its_own_time() -> None:
    ring = SeedRing()
    assert ring.active is None
    assert ring.rotate(seed(1), 100) == AccountSeed(seed(1), 100)
    ring.rotate(seed(2), 200)
    assert ring.held == (AccountSeed(seed(2), 200), AccountSeed(seed(1), 100, 200))
    assert ring.active == AccountSeed(seed(2), 200)


def test_a_new_seed_is_newer_than_every_held_one_even_within_a_second() -> None:
    ring = ring_of(AccountSeed(seed(1), 500), AccountSeed(seed(9), 900, 450))
    assert ring.rotate(seed(2), 100).created_s == 901
    assert ring.rotate(seed(3), 901).created_s == 902


def test_no_seed_is_given_a_time_that_nobody_reads() -> None:
    ring = ring_of(AccountSeed(seed(1), LATEST_S))
    made = ring.rotate(seed(2), 100)
    assert made.created_s == LATEST_S
    assert ring.active == AccountSeed(seed(1), LATEST_S)  # of one second the smaller


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_crossing_rotations_the_newest_wins_and_both_are_kept(order: tuple[int, ...]) -> None:
    rivals = [AccountSeed(seed(5), 100), AccountSeed(seed(3), 100), AccountSeed(seed(7), 99)]
    ring = ring_of(*(rivals[k] for k in order))
    assert ring.active == AccountSeed(seed(3), 100)  # of one second the smaller
    assert {held.seed: held.rotated_s for held in ring.held} == {
        seed(3): None,
        seed(5): 100,
        seed(7): 100,
    }


def test_a_seed_met_twice_takes_the_earlier_time_of_change() -> None:
    ring = ring_of(AccountSeed(seed(1), 100, 300), AccountSeed(seed(2), 300))
    assert not ring.merge([AccountSeed(seed(1), 100), AccountSeed(seed(1), 100, 400)])
    assert ring.merge([AccountSeed(seed(1), 100, 200)])
    assert ring.held[1] == AccountSeed(seed(1), 100, 200)


def test_the_order_is_active_first_then_most_recently_changed() -> None:
    ring = ring_of(AccountSeed(seed(1), 10, 20), AccountSeed(seed(3), 40), AccountSeed(seed(2), 20, 40))
    assert [held.seed for held in ring.held] == [seed(3), seed(2), seed(1)]


def test_lapsed_seeds_are_dropped_one_second_after_their_retention() -> None:
    ring = ring_of(AccountSeed(seed(1), 0, 100), AccountSeed(seed(2), 100))
    assert ring.drop_lapsed(100 + 16 * DAY_S, 16 * DAY_S) == ()
    assert [held.seed for held in ring.drop_lapsed(101 + 16 * DAY_S, 16 * DAY_S)] == [seed(1)]
    assert [held.seed for held in ring.held] == [seed(2)]
    assert ring.drop_lapsed(10**10, 0) == ()  # the active one never lapses


def test_at_a_period_of_12_hours_33_seeds_are_held() -> None:
    # protocol-v2 section 5: retention of 16 d.
    ring = SeedRing()
    for k in range(100):
        ring.rotate(k.to_bytes(32), 43_200 * (k + 1))
        ring.drop_lapsed(43_200 * (k + 1), 16 * DAY_S)
    assert len(ring.held) == 34  # at the instant of a rotation; 33 half a day's fraction later
    ring.drop_lapsed(43_200 * 100 + 1, 16 * DAY_S)
    assert len(ring.held) == 33


@pytest.mark.parametrize("bad", [b"", bytes(31), bytes(33), seed(1)])
def test_a_seed_that_is_none_or_not_fresh_is_our_mistake(bad: bytes) -> None:
    ring = SeedRing()
    ring.rotate(seed(1), 100)
    with pytest.raises(LocalProtocolError):
        ring.rotate(bad, 200)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(100, 104), st.booleans()), max_size=14),
    st.integers(0, 1 << 30),
)
@settings(deadline=None, max_examples=150, derandomize=True)
def test_whatever_happens_between_them_devices_settle_to_one_state(
    steps: list[tuple[int, int, bool]], luck: int
) -> None:
    """Devices rotate, and hear of each other or not; then each hears what all hold, in any order."""
    rings, chance, count = [SeedRing() for _ in range(3)], Random(luck), 0
    for ring in rings:
        ring.rotate(seed(0), 50) if ring is rings[0] else ring.merge(rings[0].held)
    for device, time_s, heard in steps:
        if heard:
            other = chance.choice(rings)
            said = list(other.held)
            chance.shuffle(said)
            rings[device].merge(said)
        else:
            count += 1
            rings[device].rotate(seed(count), time_s)
    for _round in range(2):  # what was said in the first round is heard in the second
        said_by = [ring.held for ring in rings]
        for ring in rings:
            for said in chance.sample(said_by, len(said_by)):
                ring.merge(chance.sample(said, len(said)))
    assert rings[0].held == rings[1].held == rings[2].held
    newest = min(rings[0].held, key=lambda held: (-held.created_s, held.seed))
    assert rings[0].active == newest
    assert len(rings[0].held) == count + 1  # nothing is lost
