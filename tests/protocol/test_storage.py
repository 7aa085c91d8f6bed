"""The message store: order, duplicates, limits, expiry, compared with a plain list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.stored import Message, Stored

ACCOUNT = b"\x05" + bytes(32)
NOW = 1_777_000_000_000


def make(**changes: Any) -> MessageStore:
    return MessageStore(
        **{"cleanup_period_ms": 10_000, "disk_max_bytes": 1_000_000, "overhead_bytes": 100} | changes
    )


def put(
    store: MessageStore, name: str, *, namespace: int = 0, expiry: int = NOW + 60_000, at: int = NOW
) -> Stored:
    return store.store(ACCOUNT, namespace, name, at, expiry, name.encode(), at)[0]


def names(
    store: MessageStore, last: str = "", *, count: int = 0, size: int = 1 << 30, at: int = NOW
) -> list[str]:
    return [m.hash for m in store.retrieve(ACCOUNT, 0, last, count, size, at)[0]]


def test_messages_come_back_in_order_of_arrival_not_of_timestamp() -> None:
    store = make()
    for name, stamp in (("a", NOW), ("b", NOW - 5000), ("c", NOW - 1000)):
        store.store(ACCOUNT, 0, name, stamp, NOW + 60_000, b"x", NOW)
    assert names(store) == ["a", "b", "c"]
    assert names(store, "a") == ["b", "c"]
    assert names(store, "c") == []


def test_unknown_last_hash_gives_everything() -> None:
    store = make()
    put(store, "a")
    put(store, "b")
    assert names(store, "never seen") == ["a", "b"]


def test_last_hash_of_another_namespace_is_unknown() -> None:
    store = make()
    put(store, "a")
    put(store, "b", namespace=2)
    assert names(store, "b") == ["a"]


def test_accounts_and_namespaces_are_boxes_of_their_own() -> None:
    store = make()
    put(store, "a")
    assert store.retrieve(ACCOUNT, 2, "", 0, 1 << 30, NOW) == ([], False)
    assert store.retrieve(b"\x05" + b"\x01" * 32, 0, "", 0, 1 << 30, NOW) == ([], False)


def test_duplicate_keeps_its_place_and_can_only_prolong_its_expiry() -> None:
    store = make()
    put(store, "a", expiry=NOW + 50_000)
    put(store, "b")
    assert store.store(ACCOUNT, 0, "a", NOW, NOW + 20_000, b"a", NOW) == (Stored.ALREADY, NOW + 50_000)
    assert store.store(ACCOUNT, 0, "a", NOW, NOW + 90_000, b"a", NOW) == (Stored.ALREADY, NOW + 90_000)
    assert names(store) == ["a", "b"]
    assert names(store, at=NOW + 70_000) == ["a"]
    assert names(store, at=NOW + 100_000) == []
    assert len(store) == store.used_bytes == 0


def test_expired_message_is_served_until_the_next_clean_up_and_never_after() -> None:
    store = make()
    put(store, "a", expiry=NOW + 12_345)
    assert names(store, at=NOW + 19_999) == ["a"]
    assert names(store, at=NOW + 20_000) == []


def test_expiry_on_the_grid_point_goes_with_that_clean_up() -> None:
    store = make()
    put(store, "a", expiry=NOW + 20_000)
    assert names(store, at=NOW + 19_999) == ["a"]
    assert names(store, at=NOW + 20_000) == []


def test_message_that_expired_can_be_stored_again() -> None:
    store = make()
    put(store, "a", expiry=NOW + 5_000)
    assert put(store, "a", at=NOW + 30_000, expiry=NOW + 90_000) is Stored.NEW


def test_size_counts_overhead_hash_and_base64_and_gives_one_in_any_case() -> None:
    store = make()
    for name in "abc":
        store.store(ACCOUNT, 0, name * 43, NOW, NOW + 60_000, b"x" * 300, NOW)
    one = 100 + 43 + 400
    assert store.retrieve(ACCOUNT, 0, "", 0, 1, NOW)[0][0].hash == "a" * 43
    assert [
        len(store.retrieve(ACCOUNT, 0, "", 0, size, NOW)[0]) for size in (1, one, 2 * one - 1, 2 * one)
    ] == [
        1,
        1,
        1,
        2,
    ]
    assert store.retrieve(ACCOUNT, 0, "", 0, 2 * one, NOW)[1] is True
    assert store.retrieve(ACCOUNT, 0, "", 0, 3 * one, NOW)[1] is False


def test_peeking_gives_what_a_retrieve_gives_and_nobody_is_told() -> None:
    store, told = make(), list[bytes]()
    for name in ("a", "b", "c"):
        put(store, name)
    store.on_look = told.append
    for last in ("", "a", "c", "never seen"):
        peeked = store.peek(ACCOUNT, 0, last, 250, NOW)
        assert not told
        assert peeked == store.retrieve(ACCOUNT, 0, last, 0, 250, NOW)
        told.clear()
    assert store.peek(ACCOUNT, 5, "", 250, NOW) == ([], False)
    assert store.peek(ACCOUNT, 0, "", 250, NOW + 80_000) == ([], False)


def test_count_limits_and_says_that_there_is_more() -> None:
    store = make()
    for name in "abc":
        put(store, name)
    assert names(store, count=2) == ["a", "b"]
    assert store.retrieve(ACCOUNT, 0, "", 2, 1 << 30, NOW)[1] is True
    assert store.retrieve(ACCOUNT, 0, "", 3, 1 << 30, NOW)[1] is False


def test_full_disk_refuses_new_messages_but_knows_old_ones() -> None:
    store = make(disk_max_bytes=3)
    assert put(store, "ab") is Stored.NEW
    assert put(store, "cd") is Stored.FULL
    assert put(store, "ab") is Stored.ALREADY
    assert put(store, "e") is Stored.NEW


def test_public_outbox_keeps_only_the_newest_message() -> None:
    store = make()
    put(store, "old", namespace=-1, at=NOW)
    assert put(store, "new", namespace=-1, at=NOW + 1) is Stored.NEW
    assert put(store, "older", namespace=-1, at=NOW - 1) is Stored.ALREADY
    assert [m.hash for m in store.retrieve(ACCOUNT, -1, "", 0, 1 << 30, NOW)[0]] == ["new"]
    assert (len(store), store.used_bytes) == (1, 3)


def test_replacing_an_outbox_for_ever_takes_no_more_memory() -> None:
    store = make()
    for step in range(1000):
        put(store, f"m{step}", namespace=-1, at=NOW + step, expiry=NOW + 10_000_000 - step)
    assert len(store._expiries) < 100
    assert [m.hash for m in store.retrieve(ACCOUNT, -1, "", 0, 1 << 30, NOW)[0]] == ["m999"]
    store.expire(NOW + 20_000_000)
    assert len(store) == 0


STEP = st.tuples(
    st.sampled_from("abcdef"),  # which message
    st.integers(0, 30_000),  # time since the last step, ms
    st.integers(1, 60_000),  # time to live, ms
)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.lists(STEP, max_size=30))
def test_store_behaves_as_a_plain_list_swept_every_ten_seconds(steps: list[tuple[str, int, int]]) -> None:
    store, now = make(), NOW
    plain: list[Message] = []
    for name, gap, ttl in steps:
        now += gap
        due = now - now % 10_000
        plain = [m for m in plain if m.expiry_ms > due]
        put(store, name, at=now, expiry=now + ttl)
        known = next((m for m in plain if m.hash == name), None)
        if known is None:
            plain.append(Message(0, name, now, now + ttl, name.encode()))
        else:
            plain = [m._replace(expiry_ms=max(m.expiry_ms, now + ttl)) if m is known else m for m in plain]
        found = store.retrieve(ACCOUNT, 0, "", 0, 1 << 30, now)[0]
        assert [(m.hash, m.expiry_ms) for m in found] == [(m.hash, m.expiry_ms) for m in plain]
        assert (len(store), store.used_bytes) == (len(plain), len(plain))


@pytest.mark.parametrize("namespace", [0, 2, -10, 11])
def test_other_namespaces_keep_all_messages(namespace: int) -> None:
    store = make()
    for name in "abc":
        put(store, name, namespace=namespace)
    assert len(store.retrieve(ACCOUNT, namespace, "", 0, 1 << 30, NOW)[0]) == 3
