"""The message store beyond storing: finding, removing, rescheduling, merging; compared with a plain dict."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.stored import Held, Message, Stored

ACCOUNT, OTHER = b"\x05" + bytes(32), b"\x03" + bytes(32)
NOW = 1_777_000_000_000


def make(**changes: Any) -> MessageStore:
    return MessageStore(
        **{"cleanup_period_ms": 10_000, "disk_max_bytes": 1_000, "overhead_bytes": 100} | changes
    )


def put(
    store: MessageStore, name: str, namespace: int = 0, account: bytes = ACCOUNT, **changes: int
) -> Stored:
    stamp, expiry = changes.get("stamp", NOW), changes.get("expiry", NOW + 60_000)
    return store.store(account, namespace, name, stamp, expiry, name.encode(), NOW)[0]


def given_(name: str, namespace: int = 0, account: bytes = ACCOUNT, expiry: int = NOW + 60_000) -> Held:
    return Held(account, namespace, Message(0, name, NOW, expiry, name.encode()))


def listed(store: MessageStore) -> list[tuple[int, str]]:
    return [(held.namespace, held.message.hash) for held in store.everything()]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("store", "remove", "sooner", "later", "merge", "time")),
        st.sampled_from("abcdef"),
        st.sampled_from((0, 5)),
        st.integers(1, 12),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=120, derandomize=True)
@given(STEPS)
def test_it_behaves_as_a_plain_dict(steps: list[tuple[str, str, int, int]]) -> None:
    store, now = make(disk_max_bytes=1 << 40), NOW
    model: dict[tuple[int, str], int] = {}  # in order of arrival: namespace, hash -> expiry

    def known(hash_: str) -> tuple[int, str] | None:
        return next((key for key in model if key[1] == hash_), None)

    for what, letter, namespace, amount in steps:
        hash_, expiry = f"{letter}{namespace}", now + amount * 10_000
        key = (namespace, hash_)
        if what == "time":
            now += amount * 5_000
        store.expire(now)
        model = {one: until for one, until in model.items() if until > now - now % 10_000}
        held = store.find(ACCOUNT, hash_)
        assert (held is None) is (known(hash_) is None)
        if what in ("store", "merge"):
            if what == "store":
                store.store(ACCOUNT, namespace, hash_, now, expiry, b"x", now)
            else:
                store.merge([given_(hash_, namespace, expiry=expiry)], misplaced=False, now_ms=now)
            model[key] = max(expiry, model.get(key, 0))
        elif held is not None and what == "remove":
            store.remove(held)
            del model[key]
        elif held is not None and what in ("sooner", "later"):
            moved = held.message.expiry_ms + (amount * 7_000 if what == "later" else -amount * 7_000)
            store.reschedule(held, moved)
            model[key] = moved
        assert [(held.namespace, held.message.hash) for held in store.everything()] == list(model)
        assert [held.message.expiry_ms for held in store.everything()] == list(model.values())
        assert len(store) == len(model)
        assert store.holds(ACCOUNT) is bool(model)
        assert store.namespaces(ACCOUNT) == sorted({space for space, _ in model})


def test_the_last_message_that_goes_is_told_of() -> None:
    store, gone = make(), []
    store.on_gone = gone.append
    put(store, "a")
    put(store, "b", 5)
    put(store, "c", account=OTHER, expiry=NOW + 5_000)
    for name in ("a", "b"):
        assert gone == []
        store.remove(store.find(ACCOUNT, name))  # type: ignore[arg-type]
    assert gone == [ACCOUNT]
    store.expire(NOW + 30_000)
    assert gone == [ACCOUNT, OTHER]


def test_bytes_are_counted_and_given_back() -> None:
    store = make()
    put(store, "abcd")
    store.merge([given_("efg", 5)], misplaced=False, now_ms=NOW)
    assert store.used_bytes == 7
    store.remove(store.find(ACCOUNT, "efg"))  # type: ignore[arg-type]
    assert store.used_bytes == 4


def test_a_batch_that_does_not_fit_is_left_out_whole() -> None:
    store = make(disk_max_bytes=5)
    put(store, "ab")
    assert store.merge([given_("cd"), given_("ef")], misplaced=False, now_ms=NOW) == 0
    assert listed(store) == [(0, "ab")]
    # What is here already takes no room.
    assert store.merge([given_("cd"), given_("ab"), given_("c")], misplaced=False, now_ms=NOW) == 2
    assert store.merge([given_("ab")], misplaced=False, now_ms=NOW) == 0


def test_a_message_that_lost_its_namespace_is_not_stored_twice() -> None:
    store = make()
    store.merge([given_("a")], misplaced=True, now_ms=NOW)
    assert store.store(ACCOUNT, 5, "a", NOW, NOW + 90_000, b"a", NOW) == (Stored.ALREADY, NOW + 90_000)
    assert listed(store) == [(0, "a")]
    # Another account's message of that hash, which only a lying node can hand on, is another one.
    store.merge([given_("b")], misplaced=True, now_ms=NOW)
    assert put(store, "b", 5, OTHER) is Stored.NEW
    store.remove(store.find(ACCOUNT, "a"))  # type: ignore[arg-type]
    assert put(store, "a", 5) is Stored.NEW


@pytest.mark.parametrize("newest", [True, False])
def test_outboxes_keep_the_newest_or_in_2_8_the_last(newest: bool) -> None:
    store = make(newest_wins=newest)
    put(store, "new", -21, stamp=NOW)
    assert put(store, "old", -21, stamp=NOW - 1) is (Stored.ALREADY if newest else Stored.NEW)
    assert listed(store) == [(-21, "new" if newest else "old")]
    assert put(store, "same", -21, stamp=NOW) is (Stored.ALREADY if newest else Stored.NEW)
    store.merge([given_("more", -21)], misplaced=False, now_ms=NOW)
    assert len(store) == (1 if newest else 2)


def test_rescheduled_messages_go_when_their_new_time_comes() -> None:
    store = make()
    put(store, "a", expiry=NOW + 900_000)
    put(store, "b", expiry=NOW + 900_000)
    store.reschedule(store.find(ACCOUNT, "a"), NOW + 20_000)  # type: ignore[arg-type]
    store.expire(NOW + 30_000)
    assert listed(store) == [(0, "b")]
    store.reschedule(store.find(ACCOUNT, "b"), NOW + 1_900_000)  # type: ignore[arg-type]
    store.expire(NOW + 1_000_000)
    assert listed(store) == [(0, "b")]
    store.expire(NOW + 2_000_000)
    assert listed(store) == []
