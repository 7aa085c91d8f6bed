"""Batches to one node within a moment go out as one, and nobody who asked can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.units import US_PER_DAY, US_PER_MS
from sessionsim.protocol.client.merging import Merger
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, settled
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.batches import is_batch
from tests.protocol.client.table import Table, batched

POLL, MESSAGE = note_of(Cause.POLL), note_of(Cause.MESSAGE, 3)
WINDOW = 100 * US_PER_MS


def batch(*methods: str) -> bytes:
    return rpc.batch_body(rpc.ANDROID, [(method.encode(), b'{"x":[1,"]}}"]}') for method in methods])


class Bench:
    """A merger whose requests are taken down, and askers who note what they get."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.got: dict[int, tuple[int, Any, int]] = {}
        self.merger = Merger(WINDOW, self._send)

    def _send(self, *request: Any) -> Effect:
        self.sent.append(request)
        return (SEND, *request[:2])

    def ask(self, exchange: int, node: int, body: bytes, now: int, note: int = POLL, wait: int = 0) -> Any:
        def done(status: int, answer: bytes, t_us: int) -> list[Effect]:
            self.got[exchange] = status, answer, t_us
            return [("told", exchange)]

        return self.merger.take(exchange, node, body, note, now, done, wait)

    def methods(self, at: int = 0) -> list[str]:
        body = orjson.loads(self.sent[at][2])
        assert body["method"] == "batch"
        return [call["method"] for call in body["params"]["requests"]]


def test_a_batch_alone_goes_out_unchanged_after_the_window() -> None:
    bench = Bench()
    body = batch("retrieve", "retrieve")
    assert bench.ask(5, 1, body, 1000) is None
    assert bench.merger.next_due_us() == 1000 + WINDOW
    assert bench.merger.wake(1000 + WINDOW - 1) == []
    assert bench.merger.wake(1000 + WINDOW) == [(SEND, 5, 1)]
    assert bench.sent[0][2] is body
    assert len(bench.merger) == 0


def test_what_is_asked_of_one_node_in_the_window_goes_out_together() -> None:
    bench = Bench()
    bench.ask(5, 1, batch("retrieve", "expire"), 0)
    bench.ask(9, 1, batch("store"), 40 * US_PER_MS, MESSAGE)
    bench.ask(13, 2, batch("store"), 50 * US_PER_MS)
    assert len(bench.merger) == 3
    assert bench.merger.wake(WINDOW) == [(SEND, 5, 1)]  # counted from the first; the other node waits
    assert bench.methods() == ["retrieve", "expire", "store"]
    assert bench.sent[0][3] == MESSAGE  # for truth it is the message
    assert bench.merger.next_due_us() == 50 * US_PER_MS + WINDOW


def joined() -> tuple[Bench, Any]:
    bench = Bench()
    bench.ask(5, 1, batch("retrieve", "expire"), 0, wait=7)
    bench.ask(9, 1, batch("store"), 1, MESSAGE, wait=9)
    bench.merger.wake(WINDOW)
    assert bench.sent[0][6] == 9  # the longer of the time-outs
    return bench, bench.sent[0][5]


def test_the_answer_is_split_as_if_each_had_asked_by_itself() -> None:
    bench, done = joined()
    results = [{"code": 200, "body": {"a": 1}}, {"code": 401, "body": "no"}, {"code": 421, "body": {"s": []}}]
    assert done(200, orjson.dumps({"results": results}), 77) == [("told", 5), ("told", 9)]
    assert rpc.read_batch(bench.got[5][1]) == [(200, {"a": 1}), (401, {"error": "no"})]
    assert rpc.read_batch(bench.got[9][1]) == [(421, {"s": []})]
    assert {got[0] for got in bench.got.values()} == {200}


@pytest.mark.parametrize(
    ("status", "answer"), [(0, b""), (421, b"{}"), (200, b"junk"), (200, b'{"results":7}')]
)
def test_an_answer_that_cannot_be_split_is_everybodys(status: int, answer: bytes) -> None:
    bench, done = joined()
    done(status, answer, 77)
    assert bench.got == {5: (status, answer, 77), 9: (status, answer, 77)}


def test_too_few_results_leave_the_last_ones_with_none() -> None:
    bench, done = joined()
    done(200, orjson.dumps({"results": [{"code": 200, "body": {}}]}), 77)
    assert len(rpc.read_batch(bench.got[5][1])) == 1
    assert rpc.read_batch(bench.got[9][1]) == []


def test_more_than_twenty_calls_do_not_go_into_one_batch() -> None:
    bench = Bench()
    assert bench.ask(1, 1, batch(*["retrieve"] * 15), 0) is None
    assert bench.ask(2, 1, batch(*["retrieve"] * 5), 1) is None
    assert bench.ask(3, 1, batch("store"), 2) == (SEND, 1, 1)
    assert len(bench.methods()) == 20
    assert bench.merger.next_due_us() == 2 + WINDOW
    bench.merger.wake(2 + WINDOW)
    assert bench.methods(1) == ["store"]


def test_nodes_go_out_in_the_order_of_their_time() -> None:
    bench = Bench()
    for k, node in enumerate((7, 3, 9)):
        bench.ask(k, node, batch("store"), 10 * k)
    assert bench.merger.wake(WINDOW + 15) == [(SEND, 0, 7), (SEND, 1, 3)]
    assert bench.merger.next_due_us() == WINDOW + 20


def test_what_waits_ends_when_the_client_is_cut_off() -> None:
    bench = Bench()
    bench.ask(5, 1, batch("store"), 0)
    assert bench.merger.cut(3) == [("told", 5)]
    assert bench.got == {5: (0, b"", 3)}
    assert bench.merger.next_due_us() is None


def test_only_batches_are_merged() -> None:
    assert is_batch(batch("store"))
    assert not is_batch(rpc.batch_body(rpc.ANDROID, [(b"store", b"{}")], b"sequence"))
    assert not is_batch(rpc.request_body(rpc.ANDROID, (b"get_swarm", b'{"pubKey":"05"}')))


# --- in a client --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


def test_android_waits_a_tenth_of_a_second_and_lets_a_text_ride_with_a_poll(world) -> None:
    rules = replace(settled(ANDROID), poll_interval_us=US_PER_DAY)
    table = Table(world, rules, merges=True)
    table.start()
    swarm = {"snodes": [{"pubkey_ed25519": key.hex()} for key in world.nodes.ed25519[:3]]}
    ids = [bytes((5, *[k] * 32)) for k in range(12)]
    for account_id in (table.client.account.id, *ids):
        table.client.swarms.correct(account_id, swarm)
    asked = table.command(0, "poll")
    for ref, account_id in enumerate(ids):
        asked += table.command(1000 * ref, "send", ref, account_id, "x")
    assert asked == []
    now, asked = table.wake()
    assert now == WINDOW
    while len({request.route[-1] for request in asked}) < 3:
        now, more = table.wake()
        asked += more
    assert now < WINDOW + 12_000
    # Twelve texts and the poll went to three nodes, in as many batches.
    assert len(asked) == 3
    calls = [call for request in asked for call in request.calls]
    assert sum("data" in call for call in calls) == 12
    assert sum("last_hash" in call for call in calls) == 5
    for request in asked:
        table.answer(request, 200, orjson.dumps({"results": [batched(200, {})] * len(request.calls)}), now)
    assert sorted(log[1] for log in table.logs if log[0] == "stored") == list(range(12))


@pytest.mark.parametrize("rules", [DESKTOP, IOS], ids=["desktop", "ios"])
def test_the_others_do_not_wait(world, rules) -> None:
    table = Table(world, replace(settled(rules), swarm_lookup="compute"), merges=True)
    table.start()
    assert table.command(0, "poll") != []
