"""Merging of what devices say about devices."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.v2.devices.payload import Tombstone
from sessionsim.protocol.v2.devices.record import DeviceRecord, State
from sessionsim.protocol.v2.devices.roster import Member, Roster
from sessionsim.protocol.v2.keys import PublicKeys

KEYS = PublicKeys(b"M" * 1184, b"X" * 32)
ONE, TWO = b"\x01" * 32, b"\x02" * 32
KICKED, LEFT = State.KICKED, State.LEFT


def record(seqno: int) -> DeviceRecord:
    return DeviceRecord(seqno, 1_777_000_000, KEYS)


def test_states_rank_above_counts_and_counts_above_digests() -> None:
    roster = Roster()
    assert roster.take_record(ONE, record(5), b"b", State.PENDING)
    assert not roster.take_record(ONE, record(4), b"z", State.PENDING)
    assert not roster.take_record(ONE, record(5), b"a", State.PENDING)
    assert not roster.take_record(ONE, record(5), b"b", State.PENDING)
    assert roster.take_record(ONE, record(5), b"c", State.PENDING)
    assert roster.take_record(ONE, record(1), b"a", State.REGISTERED)  # an acceptance
    assert not roster.take_record(ONE, record(9), b"z", State.PENDING)  # outranks a newer request
    assert roster.take_removal(ONE, Tombstone(LEFT, 100))
    assert not roster.take_record(ONE, record(99), b"z", State.REGISTERED)
    assert roster.take_removal(ONE, Tombstone(KICKED, 1))
    assert not roster.take_removal(ONE, Tombstone(LEFT, 999))
    assert not roster.take_removal(ONE, Tombstone(KICKED, 1))
    assert roster.take_removal(ONE, Tombstone(KICKED, 2))
    assert roster.member(ONE) == Member(KICKED, record(1), b"a", 2)


def test_a_removal_of_an_unknown_device_is_kept() -> None:
    roster = Roster()
    assert roster.take_removal(ONE, Tombstone(KICKED, 7))
    assert not roster.take_record(ONE, record(99), b"z", State.REGISTERED)
    assert roster.state(ONE) is KICKED
    assert roster.record(ONE) is None


def test_a_restated_removal_never_gets_older() -> None:
    roster = Roster()
    roster.take_removal(ONE, Tombstone(KICKED, 100))
    roster.restate_removal(ONE, 50)
    assert roster.member(ONE).removed_s == 100
    roster.restate_removal(ONE, 150)
    assert roster.member(ONE).removed_s == 150


def test_unknown_devices_are_our_mistake() -> None:
    roster = Roster()
    assert roster.state(ONE) is None
    assert roster.record(ONE) is None
    for call in (roster.member, lambda key: roster.set_state(key, KICKED)):
        with pytest.raises(LocalProtocolError):
            call(ONE)


def test_what_is_said_leaves_out_who_is_not_in_the_group() -> None:
    roster = Roster()
    states = [State.UNREGISTERED, State.PENDING, State.REGISTERED]
    for k, state in enumerate(states):
        roster.write(bytes([k]) * 32, record(1), state)
    roster.take_removal(b"\x09" * 32, Tombstone(LEFT, 5))
    assert set(roster.stated(all_removals=False)) == {b"\x02" * 32, b"\x09" * 32}
    assert roster.registered == [b"\x02" * 32]


@pytest.mark.parametrize(("registered", "kept"), [(1, 4), (4, 4), (5, 8)])
def test_the_latest_removals_are_said_as_many_as_there_are_slots(registered: int, kept: int) -> None:
    # Hole H7.
    roster = Roster()
    for k in range(registered):
        roster.write(bytes([k]) * 32, record(1), State.REGISTERED)
    for k in range(20):
        roster.take_removal(bytes([100 + k]) * 32, Tombstone(KICKED, 1000 + 7 * k % 20))
    said = roster.stated(all_removals=False)
    times = sorted(held.removed_s for held in said.values() if isinstance(held, Tombstone))
    assert times == list(range(1020 - kept, 1020))
    assert len(roster.stated(all_removals=True)) == registered + 20


SAYINGS = st.lists(
    st.tuples(st.sampled_from([ONE, TWO]), st.integers(1, 3), st.sampled_from([b"a", b"b"]))
    | st.tuples(st.sampled_from([ONE, TWO]), st.sampled_from([LEFT, KICKED]), st.integers(1, 3)),
    max_size=5,
)


@given(SAYINGS, st.integers(0, 1 << 30))
@settings(deadline=None, max_examples=120, derandomize=True)
def test_the_order_of_what_is_heard_does_not_matter(sayings: list[tuple[Any, Any, Any]], luck: int) -> None:
    def heard(order: list[tuple[Any, Any, Any]]) -> list[tuple[bytes, State, int]]:
        roster = Roster()
        for device_id, what, more in order:
            if isinstance(what, State):
                roster.take_removal(device_id, Tombstone(what, more))
            else:
                roster.take_record(device_id, record(what), more, State.REGISTERED)
        # Once a device is gone its record matters no more.
        found = []
        for device_id in sorted(roster):
            held = roster.member(device_id)
            live = (held.record.seqno, held.digest) if held.record and held.state < LEFT else (0, b"")
            found.append((device_id, held.state, held.removed_s, *live))
        return found  # type: ignore[return-value]

    orders = list(permutations(sayings))
    Random(luck).shuffle(orders)
    assert len({tuple(heard(list(order))) for order in orders[:12]}) == 1
