"""Which keys a device holds: order, duplicates, conflicts, the pending key, the end of old generations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.groups import GroupKey, KeyRing, OpenedKeys, Rekeyed, rekey, supplement

DAY_MS = 24 * 60 * 60 * 1000
A, B, C, D = (bytes([n]) * 32 for n in range(1, 5))


def ring_of(*keys: GroupKey, **rules: Any) -> KeyRing:
    """Take in keys one by one, each from a message named after its first byte."""
    ring = KeyRing(**rules)
    for key in keys:
        ring.take(OpenedKeys((key,), key.generation), f"{key.key[0]}")
    return ring


def test_empty_ring_has_nothing_to_send_with() -> None:
    ring = KeyRing()
    assert (ring.held, ring.opening_keys, ring.generation, ring.next_generation) == ((), (), 0, 0)
    assert not ring.needs_rekey
    assert ring.active_hashes == frozenset()
    with pytest.raises(LocalProtocolError):
        _ = ring.sending_key


def test_keys_are_sorted_by_generation_then_time_then_key() -> None:
    keys = [GroupKey(1, 5, A), GroupKey(0, 9, B), GroupKey(1, 4, C), GroupKey(1, 4, D)]
    for ring in (ring_of(*keys), ring_of(*reversed(keys))):
        assert ring.held == (keys[1], keys[2], keys[3], keys[0])
        assert ring.opening_keys == (A, D, C, B)
        assert ring.sending_key == A
        assert (ring.generation, ring.next_generation) == (1, 2)


def test_same_key_at_another_time_is_no_second_key_but_another_message() -> None:
    ring = ring_of(GroupKey(0, 5, A))
    assert ring.take(OpenedKeys((GroupKey(0, 6, A),), 0), "again")
    assert ring.held == (GroupKey(0, 5, A),)
    assert ring.active_hashes == {"1", "again"}
    assert not ring.needs_rekey


def test_two_keys_of_the_newest_generation_call_for_a_rekey() -> None:
    assert ring_of(GroupKey(0, 1, A), GroupKey(1, 2, B), GroupKey(1, 2, C)).needs_rekey
    assert not ring_of(GroupKey(0, 1, A), GroupKey(0, 2, B), GroupKey(1, 2, C)).needs_rekey


def test_message_without_a_key_for_us_is_kept_alive_only_beside_keys() -> None:
    ring = KeyRing()
    assert not ring.take(OpenedKeys((), 3), "foreign")
    assert ring.active_hashes == frozenset()
    ring = ring_of(GroupKey(2, 0, A))
    assert not ring.take(OpenedKeys((), 3), "newer")
    assert not ring.take(OpenedKeys((), 1), "older")
    assert ring.active_hashes == {"1", "newer"}


# ---- The pending key ----


def test_pending_key_is_used_first_until_it_comes_back() -> None:
    ring = ring_of(GroupKey(0, 1, A))
    made = Rekeyed(1, B, b"message")
    ring.propose(made)
    assert ring.pending == made
    assert ring.opening_keys == (B, A)
    assert ring.sending_key == B
    # It does not count as confirmed, so proposing again makes the same generation.
    assert (ring.generation, ring.next_generation, ring.held) == (0, 1, (GroupKey(0, 1, A),))
    ring.take(OpenedKeys((GroupKey(1, 7, B),), 1), "ours")
    assert ring.pending is None
    assert ring.opening_keys == (B, A)
    assert not ring.needs_rekey


def test_pending_key_gives_way_to_a_later_generation_but_not_to_a_rival() -> None:
    ring = ring_of(GroupKey(0, 1, A))
    ring.propose(Rekeyed(1, B, b""))
    ring.take(OpenedKeys((GroupKey(1, 2, C),), 1), "rival")
    assert ring.pending is not None
    assert ring.sending_key == B
    ring.take(OpenedKeys((GroupKey(2, 3, D),), 2), "later")
    assert ring.pending is None
    assert ring.sending_key == D


@pytest.mark.parametrize("generation", [0, 2])
def test_only_the_next_generation_can_be_proposed(generation: int) -> None:
    with pytest.raises(LocalProtocolError):
        ring_of(GroupKey(0, 1, A)).propose(Rekeyed(generation, B, b""))


# ---- The end of a generation ----


def test_generation_ends_60_days_after_its_successor() -> None:
    start = (GroupKey(0, 0, A), GroupKey(1, 10 * DAY_MS, B))
    on_the_day = ring_of(*start, GroupKey(2, 70 * DAY_MS, C))
    assert on_the_day.opening_keys == (C, B, A)
    a_moment_later = ring_of(*start, GroupKey(2, 70 * DAY_MS + 1, C))
    assert a_moment_later.opening_keys == (C, B)
    assert a_moment_later.active_hashes == {"2", "3"}


def test_last_generations_stay_however_old() -> None:
    ring = ring_of(GroupKey(0, 0, A), GroupKey(1, 1000 * DAY_MS, B))
    assert ring.opening_keys == (B, A)


def test_all_keys_of_a_generation_end_together_by_the_oldest_of_the_next() -> None:
    ring = ring_of(GroupKey(0, 0, A), GroupKey(0, 5, B), GroupKey(1, 9, C), GroupKey(2, 61 * DAY_MS, D))
    assert ring.opening_keys == (D, C)


def test_key_that_comes_after_its_generation_ended_is_not_taken() -> None:
    late = GroupKey(0, 0, A)
    ring = ring_of(GroupKey(1, 5, B), GroupKey(2, 100 * DAY_MS, C))
    assert ring.take(OpenedKeys((late,), 0), "late")
    assert ring.opening_keys == (C, B)
    assert ring.active_hashes == {"2", "3"}
    alone = ring_of(GroupKey(1, 5, B))
    alone.take(OpenedKeys((late,), 0), "late")
    assert alone.opening_keys == (B, A)


def test_life_of_keys_is_a_rule() -> None:
    keys = (GroupKey(0, 0, A), GroupKey(1, 1, B), GroupKey(2, 12, C))
    assert ring_of(*keys, key_life_ms=10).opening_keys == (C, B)
    assert ring_of(*keys, key_life_ms=11).opening_keys == (C, B, A)


KEYS = st.builds(
    GroupKey,
    st.integers(0, 5),
    st.integers(0, 200).map(lambda days: days * DAY_MS),
    st.sampled_from([A, B, C, D]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(KEYS, max_size=12))
def test_ring_is_sorted_has_no_double_and_keeps_the_newest(keys: list[GroupKey]) -> None:
    ring = ring_of(*keys)
    held = ring.held
    assert list(held) == sorted(held)
    assert len({(key.generation, key.key) for key in held}) == len(held)
    if keys:
        assert ring.generation == max(key.generation for key in keys)
    # The oldest generation is held because its successor is not 60 days older than the newest key.
    successor = next((key for key in held if key.generation > held[0].generation), None)
    assert successor is None or successor.time_ms + 60 * DAY_MS >= held[-1].time_ms


# ---- With real messages ----


def test_newcomer_with_history_holds_what_the_others_hold(cast: Any) -> None:
    everyone = [cast.admin.id, cast.alice.id, cast.bob.id, cast.stranger.id]
    ring = cast.ring(cast.admin)
    second = rekey(cast.suite, cast.group, everyone[:3], ring.next_generation).message
    ring = cast.ring(cast.admin, second)
    history = supplement(cast.suite, cast.group, ring.held, [cast.stranger.id])
    newcomer = cast.ring(cast.stranger, second, history)
    assert newcomer.held == ring.held == cast.ring(cast.group, second, history).held
    assert newcomer.active_hashes == {"hash 2"}
    third = rekey(cast.suite, cast.group, everyone, ring.next_generation)
    readers = (cast.admin, cast.alice, cast.bob, cast.stranger, cast.group)
    keys = {cast.ring(reader, second, history, third.message).sending_key for reader in readers}
    assert keys == {third.key}


def test_admins_who_remove_different_members_at_once_have_to_rekey(cast: Any) -> None:
    first = rekey(cast.suite, cast.group, [cast.admin.id, cast.alice.id], 1)
    second = rekey(cast.suite, cast.group, [cast.admin.id, cast.bob.id], 1)
    ring = cast.ring(cast.group, first.message, second.message)
    assert ring.needs_rekey
    assert ring.next_generation == 2
    resolved = rekey(cast.suite, cast.group, [cast.admin.id], 2)
    assert not cast.ring(cast.group, first.message, second.message, resolved.message).needs_rekey
