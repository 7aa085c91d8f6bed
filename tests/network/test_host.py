"""The host over real machines: equal rows under both kernels, addressed delays, connections, failures."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappush

import numpy as np
import pytest

from sessionsim.core.columns import DTYPE, HEAD_CODE, Cause, Transport, split_note
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds, mix
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.network.faults.plan import Answer, Plan, Turn, What
from sessionsim.network.faults.trouble import Trouble
from sessionsim.network.host import Host
from sessionsim.network.kernels import HeapKernel, Kernel, SimpyKernel
from sessionsim.network.links import LinkRules, Links
from sessionsim.network.wire_sizes import WireRules, WireSizes
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS as PLATFORM_RULES
from sessionsim.protocol.machine import CLOSE, CONNECT, CONNECTED, SEND, WAKE_AT

PLATFORMS = ("desktop", "android", "ios", "desktop")
SPEC = WorldSpec(
    date="2026-04-28",
    limit_swarms=6,
    platforms=PLATFORMS,
    intents=(
        Intent(5 * US_PER_S, 0, 1, "hello"),
        Intent(6 * US_PER_S, 1, 2, "täxt with ünicode 😀"),
        Intent(6 * US_PER_S, 2, 3, "x" * 300),
        Intent(7 * US_PER_S, 0, 1, "again"),
    ),
    horizon_us=40 * US_PER_S,
    measured=(0, 40 * US_PER_S),
    seeds=Seeds(7),
    epoch_ms=1_777_000_000_000,
)


def rows_of(records: MemoryRecords) -> np.ndarray:
    table = records.table()
    rows = np.empty(len(table["src"]), DTYPE)
    for name in DTYPE.names:
        rows[name] = table[name]
    return rows


def run(spec: WorldSpec, kernel: Kernel | None = None) -> tuple[Truth, np.ndarray, dict[int, bytes]]:
    world = build(spec)
    records = MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))), keep_bytes=True, kernel=kernel)
    return truth, rows_of(records), records.blobs


@pytest.fixture(scope="module")
def simpy_run() -> tuple[Truth, np.ndarray, dict[int, bytes]]:
    return run(SPEC, SimpyKernel())


def test_every_message_is_delivered_and_synced(simpy_run) -> None:
    messages = simpy_run[0].messages
    assert list(messages["outcome"]) == ["delivered"] * 4
    assert (messages["sync_stored_us"] > messages["stored_us"]).all()
    assert (messages["delivered_us"] > messages["intent_us"]).all()


def test_heap_loop_and_simpy_give_equal_rows_and_bytes(simpy_run) -> None:
    truth, rows, blobs = run(SPEC, HeapKernel())
    assert np.array_equal(rows, simpy_run[1])
    assert blobs == simpy_run[2]
    assert list(truth.messages["hash"]) == list(simpy_run[0].messages["hash"])


def test_fast_and_sodium_have_the_same_rows(simpy_run) -> None:
    _, rows, _ = run(replace(SPEC, suite="sodium"))
    assert np.array_equal(rows, simpy_run[1])


def test_memo_on_and_off_give_equal_rows_and_bytes() -> None:
    with_memo = run(replace(SPEC, suite="sodium", memo=True))
    without = run(replace(SPEC, suite="sodium", memo=False))
    assert np.array_equal(with_memo[1], without[1])
    assert with_memo[2] == without[2]


def test_a_store_is_forty_eight_transmissions_with_its_sync_copy_and_polls(simpy_run) -> None:
    rows = simpy_run[1]
    causes, refs = split_note(rows["note"])
    for message in range(4):
        assert ((causes == 1) & (refs == message)).sum() == 8  # onion there and back
        assert ((causes == 2) & (refs == message)).sum() == 8
    replications = ((causes == 4) & (rows["direction"] == 0)).sum()
    assert 8 * 4 <= replications <= 8 * 6  # eight stores in swarms of five to seven nodes


def test_another_message_does_not_change_unrelated_delays(simpy_run) -> None:
    spec = replace(SPEC, intents=(*SPEC.intents, Intent(8 * US_PER_S, 3, 2, "more")))
    rows, extra = simpy_run[1], run(spec)[1]
    client = len(build(SPEC).nodes) + 1  # account 1 neither sends nor receives the new message
    for table in (rows, extra):
        assert (table["t_recv_us"] > table["t_sent_us"]).all()
    one = rows[(rows["src"] == client) | (rows["dst"] == client)]
    two = extra[(extra["src"] == client) | (extra["dst"] == client)]
    assert np.array_equal(
        one[["t_sent_us", "t_recv_us", "app_bytes"]], two[["t_sent_us", "t_recv_us", "app_bytes"]]
    )


class Opener:
    """Opens a connection, keeps it open a while, lets go of it, and asks over it again."""

    def __init__(self, dst: int, conn: int) -> None:
        self.dst, self.conn = dst, conn
        self.heard: list[tuple[int, object]] = []

    def start(self, now_us: int):
        return ((CONNECT, self.dst, self.conn, 7, 0), (WAKE_AT, 45 * US_PER_S))

    def receive(self, src: int, conn: int, exchange: int, head, payload: bytes, now_us: int):
        self.heard.append((now_us, head))
        return ()

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int):
        self.heard.append((now_us, reason))
        return ()

    def wake(self, now_us: int):
        if now_us < 50 * US_PER_S:
            return ((CLOSE, self.dst, self.conn), (WAKE_AT, 100 * US_PER_S))
        return ((SEND, self.dst, self.conn, 9, "storage_rpc", b"x", 0),)


def open_and_close(conn: int, plan: Plan | None = None) -> tuple[Opener, np.ndarray, int]:
    links = Links((10, 200), (0, 10**7), (0, 10**7), LinkRules(jitter="none"))
    opener, records = Opener(0, conn), MemoryRecords()
    silent = Opener(1, conn)
    silent.start = silent.wake = lambda now_us: ()  # type: ignore[method-assign]
    host = Host(
        (silent, opener), 1, [1, 2], links, WireSizes(WireRules()), bytes(2), HeapKernel(), NoJournal(),
        records, frozenset((1,)), trouble=Trouble(plan, 2, 1, 2) if plan else None,
    )  # fmt: skip
    host.start()
    host.run(200 * US_PER_S)
    return opener, rows_of(records), links.base_rtt_us(1, 0)


class NoJournal:
    def deliver(self, endpoint: int, effect, now_us: int) -> None: ...
    def log(self, endpoint: int, effect, now_us: int) -> None: ...
    def event(self, endpoint: int, effect, now_us: int) -> None: ...


def test_a_connection_can_be_opened_for_itself_and_let_go_of() -> None:
    opener, rows, rtt_us = open_and_close(int(Transport.QUIC))
    assert opener.heard == [(rtt_us, CONNECTED)]  # one round trip, no transmission
    shaken = rows[rows["head"] == HEAD_CODE["handshake"]]
    assert shaken["t_sent_us"][shaken["direction"] == 0].tolist() == [0, 100 * US_PER_S]
    assert len(set(shaken["conn"].tolist())) == 2
    alive = rows[rows["head"] == HEAD_CODE["keepalive"]]["t_sent_us"].tolist()
    assert alive == [rtt_us + k * 10 * US_PER_S for k in (1, 2, 3, 4)]  # until 45 s, and no longer
    assert (rows["head"] == HEAD_CODE["storage_rpc"]).sum() == 1


def test_a_connection_to_nobody_fails() -> None:
    silent = Plan((Turn(0, 0, What.CRASHES, Answer.SILENT),), (), 200 * US_PER_S)
    opener, rows, _ = open_and_close(int(Transport.QUIC), silent)
    assert opener.heard[0] == (3 * US_PER_S, "unreachable")  # the handshake is given up
    assert len(rows) == 0
    refused = Plan((Turn(0, 0, What.CRASHES, Answer.REFUSED),), (), 200 * US_PER_S)
    opener, rows, rtt_us = open_and_close(int(Transport.HTTPS), refused)
    assert opener.heard[0] == (rtt_us, "refused")


def test_a_client_connection_opens_with_one_handshake(simpy_run) -> None:
    """Over HTTP/1.1 as many are open as requests run at a time; each ends when it is idle for too long."""
    rows = simpy_run[1]
    n_nodes = len(build(SPEC).nodes)
    shakes = rows[(rows["head"] == HEAD_CODE["handshake"]) & (rows["direction"] == 0)]
    assert (shakes["src"] >= n_nodes).all()
    for src, dst in set(zip(shakes["src"].tolist(), shakes["dst"].tolist(), strict=True)):
        requests = rows[(rows["src"] == src) & (rows["dst"] == dst) & (rows["head"] == 0)]
        answers = rows[(rows["src"] == dst) & (rows["dst"] == src) & (rows["direction"] == 1)]
        opened = shakes[(shakes["src"] == src) & (shakes["dst"] == dst)]
        assert len(set(opened["conn"].tolist())) == len(opened)
        if requests["transport"][0] != 0:
            assert len(opened) == 1
            continue
        begun: dict[int, int] = {}
        for row in np.sort(np.concatenate([requests, answers]), order="t_sent_us"):
            conn, exchange = int(row["conn"]), int(row["exchange"])
            if row["direction"] == 0:
                assert conn not in begun  # nothing else is under way on it
                begun[conn] = exchange
            elif exchange >= 0:
                assert begun.pop(conn) == exchange
        for conn in opened["conn"].tolist():
            its = np.concatenate([requests[requests["conn"] == conn], answers[answers["conn"] == conn]])
            assert np.diff(np.sort(its["t_sent_us"])).max(initial=0) <= 10 * US_PER_S
    first = rows[
        (rows["src"] == shakes["src"][0]) & (rows["dst"] == shakes["dst"][0]) & (rows["direction"] == 0)
    ]
    assert first["head"][0] == HEAD_CODE["handshake"]
    assert first["t_sent_us"][1] - first["t_sent_us"][0] >= 2 * (
        first["t_recv_us"][0] - first["t_sent_us"][0]
    )


def test_machines_use_only_the_bytes_that_arrive(simpy_run) -> None:
    assert set(np.unique(simpy_run[1]["head"])) <= {0, 1, 3, 4, 5, 200}


def test_intents_outside_the_accounts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="workload"):
        build(replace(SPEC, intents=(Intent(0, 0, 9, "x"),)))


def test_rows_do_not_depend_on_how_often_progress_is_told(simpy_run) -> None:
    world = build(SPEC)
    records = MemoryRecords()
    seen: list[int] = []
    world.run(records, frozenset(range(len(world.machines))), keep_bytes=True, progress=seen.append)
    assert np.array_equal(rows_of(records), simpy_run[1])
    assert seen == [s * US_PER_S for s in range(1, 40)]
    assert all(t % US_PER_MS == 0 for t in seen)


def test_a_simpy_process_runs_beside_the_host(simpy_run) -> None:
    kernel = SimpyKernel()
    ticks: list[int] = []

    def clock():
        while True:
            yield kernel.env.timeout(700_000)
            ticks.append(kernel.env.now)

    kernel.env.process(clock())
    _, rows, _ = run(SPEC, kernel)
    assert ticks == list(range(700_000, SPEC.horizon_us, 700_000))
    assert np.array_equal(rows, simpy_run[1])


@pytest.mark.parametrize("interval_s", [10, 3, 0])
def test_an_idle_quic_connection_has_one_keep_alive_per_interval_and_https_has_none(interval_s: int) -> None:
    # Polls every 35 s leave silences long enough for several keep-alives; a minute and a half has few polls.
    rules = {name: replace(rule, poll_interval_us=35 * US_PER_S) for name, rule in PLATFORM_RULES.items()}
    interval_us = interval_s * US_PER_S
    spec = replace(
        SPEC,
        client_rules=rules,
        wire_rules=WireRules(quic_keepalive_us=interval_us),
        horizon_us=180 * US_PER_S,
        measured=(0, 180 * US_PER_S),
    )
    rows = run(spec)[1]
    alive = rows["head"] == HEAD_CODE["keepalive"]
    assert (rows["transport"][alive] == Transport.QUIC).all()
    assert (rows["direction"][alive] == 0).all()
    assert (split_note(rows["note"][alive])[0] == Cause.KEEPALIVE).all()
    assert (rows["wire_bytes"][alive] == 68).all()
    if not interval_us:
        assert not alive.any()
        return
    n_nodes, expected = len(build(spec).nodes), 0
    quic = (rows["transport"] == Transport.QUIC) & ((rows["src"] >= n_nodes) | (rows["dst"] >= n_nodes))
    for conn in np.unique(rows["conn"][quic]):
        mine = rows[rows["conn"] == conn]
        shaken = mine["head"] == HEAD_CODE["handshake"]
        talk = ~shaken & (mine["head"] != HEAD_CODE["keepalive"])
        used = np.sort(mine["t_sent_us"][talk])
        silences = np.diff(used)
        # One after every full interval of a silence, none once it is over.
        expected += int((np.maximum(silences - 1, 0) // interval_us).sum())
        busy = np.sort(mine["t_sent_us"][~shaken])
        assert (np.diff(busy) <= interval_us).all()
    assert expected > 10
    assert alive.sum() == expected


class _Sender:
    """Asks endpoint 1 once, with exchange 77."""

    def start(self, now_us: int):
        return ((SEND, 1, 2, 77, "sn.storage_cc", b"question", 0),)

    def receive(self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int):
        return ()


class _Answerer(_Sender):
    """Answers whatever it gets."""

    def start(self, now_us: int):
        return ()

    def receive(self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int):
        return ((SEND, src, conn, exchange, 200, b"answer", 0),)


def test_delays_are_drawn_from_the_address_of_each_transmission() -> None:
    links, sizes = Links([3, 90], [0, 0], [0, 0], LinkRules()), WireSizes(WireRules())
    records = MemoryRecords()
    address = 0x1234_5678_9ABC_DEF0
    host = Host(
        [_Sender(), _Answerer()], 2, [address, 5], links, sizes, bytes(2), HeapKernel(), None, records, {0}
    )
    host.start()
    host.run(US_PER_S)
    rows = rows_of(records)
    question, answer = mix(address, 77), mix(mix(address, 77), 1)
    first = links.delay_us(0, 1, int(rows["wire_bytes"][0]), question)
    second = links.delay_us(1, 0, int(rows["wire_bytes"][1]), answer)
    assert list(rows["t_sent_us"]) == [0, first]
    assert list(rows["t_recv_us"]) == [first, first + second]


@pytest.mark.parametrize("kernel", [SimpyKernel, HeapKernel])
def test_items_of_one_time_come_in_the_order_they_were_put(kernel: type[Kernel]) -> None:
    queue, seen = kernel(), []
    for number, (put, t_us) in enumerate(
        [("at", 5), ("later", 5), ("at", 5), ("later", 3), ("later", 5), ("at", 3), ("later", 9)]
    ):
        entry = (t_us, 1, next(queue.ranks), "kind", number)
        if put == "at":
            heappush(queue.queue, entry)
        else:
            queue.later(entry)
    queue.run(9, lambda entry: seen.append(entry[4]))
    assert seen == [3, 5, 0, 1, 2, 4]
    queue.run(10, lambda entry: seen.append(entry[4]))
    assert seen[-1] == 6
