"""Parts of large configs: splitting, any order of arrival, hostile parts, bounds on what waits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs.message import hash_of
from sessionsim.protocol.configs.parts import (
    MAX_CHUNK_BYTES,
    MAX_FINISHED_SETS,
    MAX_STORED_BYTES,
    MAX_WAITING_SETS,
    MAX_WHOLE_BYTES,
    Assembly,
    read_part,
    split,
)
from sessionsim.protocol.wire import bencode

DAY_MS = 86_400_000
WHOLE = bytes(range(256)) * 700  # 179,200 bytes: three parts
PARTS = split(WHOLE)


def assembly() -> Assembly:
    return Assembly(7 * DAY_MS, 14 * DAY_MS)


def part(name: bytes, index: int, count: int, chunk: bytes) -> bytes:
    return b"m" + bencode.encode([name, bytes([index]), bytes([count]), chunk])


def small(whole: bytes, count: int = 2) -> list[bytes]:
    """Split a short message, which no client would."""
    cuts = [len(whole) * i // count for i in range(count + 1)]
    return [part(hash_of(whole), i, count, whole[cuts[i] : cuts[i + 1]]) for i in range(count)]


def test_full_parts_fill_a_stored_message_exactly() -> None:
    assert MAX_CHUNK_BYTES == 76_710
    assert [len(one) + 40 for one in PARTS[:-1]] == [MAX_STORED_BYTES] * 2
    for index, one in enumerate(PARTS):
        read = read_part(one)
        assert (read.whole_hash, read.index, read.count) == (hash_of(WHOLE), index, 3)
        assert read.chunk == WHOLE[index * 76_710 : (index + 1) * 76_710]


@pytest.mark.parametrize(("last", "zeros"), [(1, 4), (9, 4), (10, 3), (999, 2), (9_999, 1), (10_000, 0)])
def test_a_short_last_part_ends_in_zeros_as_the_reference_writes_it(last: int, zeros: int) -> None:
    whole = b"x" * (MAX_CHUNK_BYTES + last)
    first, second = split(whole)
    assert (len(first), len(second)) == (MAX_CHUNK_BYTES + 50, last + 50)
    assert len(second) - len(second.rstrip(b"\0")) == zeros
    waiting = assembly()
    waiting.add("a", first, 0)
    assert waiting.add("b", second, 0) == (("a", "b"), whole)


def test_only_what_is_too_large_and_not_far_too_large_is_split() -> None:
    assert len(split(bytes(MAX_CHUNK_BYTES + 1))) == 2
    assert len(split(bytes(MAX_WHOLE_BYTES))) == 66
    for size in (MAX_CHUNK_BYTES, MAX_WHOLE_BYTES + 1):
        with pytest.raises(LocalProtocolError):
            split(bytes(size))


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(3)), st.lists(st.integers(0, 2), max_size=3))
def test_parts_in_any_order_with_repeats_give_the_whole_once(order: list[int], repeats: list[int]) -> None:
    waiting, whole = assembly(), []
    for step, index in enumerate([*order, *repeats]):
        for _ in range(2):
            given_whole = waiting.add(f"hash{index}", PARTS[index], step)
            if given_whole is not None:
                whole.append(given_whole)
    assert whole == [(("hash0", "hash1", "hash2"), WHOLE)]
    assert waiting.waiting_hashes() == set()


def test_a_missing_part_leaves_the_others_waiting_for_a_week() -> None:
    waiting = assembly()
    assert waiting.add("a", PARTS[0], 0) is None
    assert waiting.add("c", PARTS[2], 5) is None
    assert waiting.waiting_hashes() == {"a", "c"}
    assert not waiting.expire(7 * DAY_MS + 5)
    assert waiting.expire(7 * DAY_MS + 6)
    assert waiting.waiting_hashes() == set()
    # The late part starts anew.
    assert waiting.add("b", PARTS[1], 7 * DAY_MS + 6) is None


def test_a_finished_set_is_remembered_for_two_weeks() -> None:
    waiting = assembly()
    for index, one in enumerate(PARTS):
        waiting.add(str(index), one, 0)
    assert waiting.add("again", PARTS[0], 1) is None
    assert waiting.waiting_hashes() == set()
    waiting.expire(14 * DAY_MS + 1)
    waiting.add("again", PARTS[0], 14 * DAY_MS + 1)
    assert waiting.waiting_hashes() == {"again"}


def test_what_this_device_split_is_not_collected() -> None:
    waiting = assembly()
    waiting.pushed(WHOLE, 0)
    assert [waiting.add(str(index), one, 0) for index, one in enumerate(PARTS)] == [None] * 3
    assert waiting.waiting_hashes() == set()


def test_parts_of_several_sets_do_not_mix() -> None:
    waiting = assembly()
    first, second = small(b"first whole"), small(b"second whole")
    assert waiting.add("1a", first[0], 0) is None
    assert waiting.add("2b", second[1], 0) is None
    assert waiting.add("2a", second[0], 0) == (("2a", "2b"), b"second whole")
    assert waiting.add("1b", first[1], 0) == (("1a", "1b"), b"first whole")


def test_a_false_part_spoils_its_set_and_the_right_ones_can_come_again() -> None:
    waiting, right = assembly(), small(b"the whole")
    waiting.add("false", part(hash_of(b"the whole"), 0, 2, b"lies"), 0)
    with pytest.raises(RemoteProtocolError, match="whole they name"):
        waiting.add("b", right[1], 0)
    assert waiting.waiting_hashes() == set()
    waiting.add("a", right[0], 0)
    assert waiting.add("b", right[1], 0) == (("a", "b"), b"the whole")


def test_a_part_that_says_another_number_is_refused() -> None:
    waiting, right = assembly(), small(b"the whole")
    waiting.add("a", right[0], 0)
    with pytest.raises(RemoteProtocolError, match="number"):
        waiting.add("x", part(hash_of(b"the whole"), 1, 3, b"x"), 0)
    assert waiting.add("b", right[1], 0) is not None


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"m",
        b"d1:ae",
        b"mle",
        b"mi5e",
        b"m" + bencode.encode([bytes(32), b"\0", b"\2"]),
        b"m" + bencode.encode([bytes(32), b"\0", b"\2", b"x", b"y"]),
        b"m" + bencode.encode([bytes(32), 0, 2, b"x"]),
        b"m" + bencode.encode([bytes(31), b"\0", b"\2", b"x"]),
        b"m" + bencode.encode([bytes(32), b"\0\0", b"\2", b"x"]),
        b"m" + bencode.encode([bytes(32), b"\0", b"", b"x"]),
        part(bytes(32), 0, 2, b""),
        part(bytes(32), 0, 1, b"x"),
        part(bytes(32), 0, 0, b"x"),
        part(bytes(32), 2, 2, b"x"),
        part(bytes(32), 0, 2, b"x") + b"e",
        part(bytes(32), 0, 2, b"x" * MAX_STORED_BYTES),
    ],
)
def test_malformed_parts_are_refused(message: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_part(message)


def test_only_so_many_sets_and_bytes_wait_and_the_oldest_give_way() -> None:
    waiting = assembly()
    for number in range(MAX_WAITING_SETS + 3):
        waiting.add(f"set {number}", part(hash_of(b"%d" % number), 0, 2, b"x"), number)
    assert waiting.waiting_hashes() == {f"set {number}" for number in range(3, MAX_WAITING_SETS + 3)}
    waiting = assembly()
    for number in range(300):  # 23 MB of first parts, in two sets
        chunk = bytes(MAX_CHUNK_BYTES)
        waiting.add(f"{number}", part(hash_of(b"%d" % (number // 150)), number % 150, 255, chunk), number)
    assert waiting.waiting_hashes() == {f"{number}" for number in range(150, 300)}


def test_only_so_many_finished_sets_are_remembered() -> None:
    waiting = assembly()
    for number in range(MAX_FINISHED_SETS + 1):
        waiting.pushed(b"%d" % number, number)
    assert len(waiting.dump()) == MAX_FINISHED_SETS
    assert hash_of(b"0") not in waiting.dump()


def test_what_waits_and_what_is_finished_survives_a_dump() -> None:
    waiting = assembly()
    waiting.add("a", PARTS[0], 0)
    waiting.add("c", PARTS[2], 0)
    waiting.pushed(b"own", 0)
    again = assembly()
    again.add("of before", small(b"dropped")[0], 0)
    again.load(bencode.decode(bencode.encode(waiting.dump())), 1)
    assert again.dump() == waiting.dump()
    assert again.add("b", PARTS[1], 1) == (("a", "b", "c"), WHOLE)
    late = assembly()
    late.load(waiting.dump(), 8 * DAY_MS)
    assert list(late.dump()) == [hash_of(b"own")]
