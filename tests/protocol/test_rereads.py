"""What a node gives again: the inbox alone, as a whole, and until something of it is removed."""

from __future__ import annotations

import pytest

from sessionsim.protocol.snode._rereads import Again, find_again
from sessionsim.protocol.snode._storage_rpc import StorageRpc
from sessionsim.protocol.wire.rpc import message_hash, signed_text
from sessionsim.protocol.wire.rpc_node import PollCall, StoreCall
from tests.protocol.test_poll_execution import NOW_MS, OTHER, OWN, SUITE, node_of_swarms

BOXES = (2, 0)
MINUTE_MS = 60_000


def stored(*texts: bytes, namespace: int = 0, minutes: int = 20) -> StorageRpc:
    node = node_of_swarms(7)
    for text in texts:
        put(node, text, namespace, minutes)
    return node


def put(node: StorageRpc, text: bytes, namespace: int = 0, minutes: int = 20) -> None:
    hash_ = message_hash(OWN.id, namespace, text)
    until_ms = NOW_MS + minutes * MINUTE_MS
    node.store_own(StoreCall(OWN.id, namespace, NOW_MS, until_ms, text, hash_, None, None, 0), NOW_MS)


def found(node: StorageRpc, last: bytes = b"", size: int = -2, account: bytes = OWN.id) -> Again | None:
    cursor = message_hash(OWN.id, 0, last) if last else ""
    return find_again(node, account, [(2, ""), (0, cursor)], size, NOW_MS)


def test_all_that_lies_behind_the_cursor_is_found_in_its_place() -> None:
    node = stored(b"a", b"b", b"c")
    again = found(node, b"a")
    assert again is not None
    assert (again.place, [one.data for one in again.messages]) == (1, [b"b", b"c"])


def test_the_answer_is_the_one_that_a_poll_gets() -> None:
    node = stored(b"a", b"b" * 300)
    again = found(node)
    signed = [SUITE.sign(OWN.ed, signed_text("retrieve", box, NOW_MS)) for box in BOXES]
    parts = tuple((box, "", -2, signature) for box, signature in zip(BOXES, signed, strict=True))
    answer = node.poll(PollCall(OWN.id, OWN.ed.public, NOW_MS, parts), NOW_MS)
    assert node.idle_answer(2, NOW_MS, again=again) == answer
    assert answer[1].count(b'"data"') == 2


def test_it_lasts_until_the_first_message_of_the_box_is_removed() -> None:
    node = stored(b"a", minutes=10)
    put(node, b"b", minutes=20)
    again = found(node, b"a")  # once "a" has gone, "b" is given to whoever names it as if nothing were known
    assert again is not None
    assert NOW_MS + 10 * MINUTE_MS <= again.until_ms <= NOW_MS + 10 * MINUTE_MS + 10_000


@pytest.mark.parametrize(
    ("why", "again"),
    [
        ("nothing is new", found(stored(b"a"), b"a")),
        ("nothing is there", found(stored())),
        ("another box has something", found(stored(b"a", namespace=2))),
        ("too much for one answer", found(stored(b"a" * 500, b"b" * 500), size=700)),
        ("of another account", found(stored(b"a"), account=OTHER.id)),
    ],
)
def test_nothing_is_given_again_where(why: str, again: Again | None) -> None:
    assert again is None, why


def test_what_another_box_holds_besides_counts_as_news() -> None:
    node = stored(b"a")
    assert found(node) is not None
    put(node, b"config", namespace=2)
    assert found(node) is None


def test_a_node_that_does_not_tell_the_truth_is_not_foreseen() -> None:
    node = stored(b"a")
    node.reads = lambda *_asked: ([], False)
    assert found(node) is None
