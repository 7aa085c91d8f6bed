"""What machines live through while something fails: fakes on a host, times worked out from the links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import DTYPE, HEAD_CODE, Transport
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import mix
from sessionsim.network.faults.plan import FOREVER_US, Answer, Extra, Plan, Turn, Way, What
from sessionsim.network.faults.trouble import Trouble
from sessionsim.network.host import Host
from sessionsim.network.kernels import HeapKernel, SimpyKernel
from sessionsim.network.links import LinkRules, Links
from sessionsim.network.wire_sizes import WireRules, WireSizes
from sessionsim.protocol.machine import SEND, WAKE_AT

S = 1_000_000
HTTPS, QUIC, OMQ = int(Transport.HTTPS), int(Transport.QUIC), int(Transport.OMQ)
LINKS = Links([3, 90, 7], [0, 0, 10**9], [0, 0, 10**9], LinkRules(jitter="none"))
NODE, OTHER, CLIENT = 0, 1, 2
HORIZON = 100 * S


@dataclass
class Asker:
    """Asks `dst` at the times told over one connection; notes what comes of it."""

    dst: int
    conn: int
    times: Sequence[int]
    seen: list[tuple[Any, ...]] = field(default_factory=list)

    def start(self, now_us: int) -> Any:
        return [(WAKE_AT, self.times[0])] if self.times else ()

    def wake(self, now_us: int) -> Any:
        number = self.times.index(now_us)
        head = "sn.onion_request" if self.conn == OMQ else "onion_req"
        effects: list[Any] = [(SEND, self.dst, self.conn, 70 + number, head, b"question", 0)]
        if number + 1 < len(self.times):
            effects.append((WAKE_AT, self.times[number + 1]))
        return effects

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Any:
        self.seen.append((now_us, exchange, head))
        return ()

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Any:
        self.seen.append((now_us, exchange, reason))
        return ()

    def command(self, command: tuple[Any, ...], now_us: int) -> Any:
        self.seen.append((now_us, *command))
        return ()


@dataclass
class Answerer:
    """Answers at once, or when it is woken after `takes_us`."""

    takes_us: int = 0
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    waiting: list[Any] = field(default_factory=list)

    def start(self, now_us: int) -> Any:
        self.seen.append((now_us, "start"))
        return ()

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Any:
        self.seen.append((now_us, exchange))
        answer = (SEND, src, conn, exchange, 200, b"answer", 0)
        if not self.takes_us:
            return (answer,)
        self.waiting.append(answer)
        return ((WAKE_AT, now_us + self.takes_us),)

    def wake(self, now_us: int) -> Any:
        self.seen.append((now_us, "wake"))
        waiting, self.waiting = self.waiting, []
        return waiting

    def command(self, command: tuple[Any, ...], now_us: int) -> Any:
        self.seen.append((now_us, *command))
        return ()

    failed = None


def stage(
    turns: Sequence[Turn],
    ways: Sequence[Way] = (),
    *,
    asker: Asker,
    answerer: Answerer | None = None,
    kernel: Any = None,
    commands: Sequence[tuple[int, int, tuple[Any, ...]]] = (),
) -> tuple[Answerer, np.ndarray]:
    """Run a client or node that asks node 0. Endpoint 1 is another node, 2 the client."""
    answerer = answerer or Answerer()
    idle = Asker(0, OMQ, ())
    machines = [answerer, idle, asker] if asker.conn != OMQ else [answerer, asker, idle]
    records = MemoryRecords()
    plan = Plan(tuple(turns), tuple(ways), HORIZON)
    host = Host(
        machines, 2, [11, 12, 13], LINKS, WireSizes(WireRules()), bytes(3), kernel or HeapKernel(), None,
        records, frozenset({0, 1, 2}), trouble=Trouble(plan, 3, 2, 3),
    )  # fmt: skip
    for t_us, endpoint, command in commands:
        host.command(t_us, endpoint, command)
    host.start()
    host.run(HORIZON)
    table = records.table()
    rows = np.empty(len(table["src"]), DTYPE)
    for name in DTYPE.names:
        rows[name] = table[name]
    return answerer, rows


def crash(
    at: int, until: int = FOREVER_US, answer: Answer = Answer.REFUSED, lost: bool = False
) -> list[Turn]:
    ends = [Turn(until, NODE, What.STARTS, lost)] if until < HORIZON else []
    return [Turn(at, NODE, What.CRASHES, answer), *ends]


RTT = {conn: LINKS.base_rtt_us(CLIENT, NODE) for conn in (HTTPS, QUIC)} | {
    OMQ: LINKS.base_rtt_us(OTHER, NODE)
}


def test_without_anything_wrong_the_rows_are_those_of_a_run_without_a_plan() -> None:
    asker = Asker(NODE, HTTPS, (S, 2 * S))
    _, rows = stage([Turn(99 * S, OTHER, What.HANGS, 99 * S)], asker=asker)
    records = MemoryRecords()
    machines = [Answerer(), Asker(0, OMQ, ()), Asker(NODE, HTTPS, (S, 2 * S))]
    host = Host(
        machines, 2, [11, 12, 13], LINKS, WireSizes(WireRules()), bytes(3), HeapKernel(), None, records,
        frozenset({0, 1, 2}),
    )  # fmt: skip
    host.start()
    host.run(HORIZON)
    table = records.table()
    assert len(rows) == len(table["src"]) == 6  # a handshake each way, two questions and answers
    for name in DTYPE.names:
        assert (rows[name] == table[name]).all()


@pytest.mark.parametrize("conn", [HTTPS, OMQ])
def test_a_dead_program_refuses_within_one_round_trip(conn: int) -> None:
    asker = Asker(NODE, conn, (5 * S,))
    answerer, _ = stage(crash(4 * S), asker=asker)
    ((t_us, exchange, reason),) = asker.seen
    assert (exchange, reason) == (70, "refused")
    # A request to a node goes over an open connection, with its bytes; a client is refused the connection.
    assert 0 <= t_us - 5 * S - RTT[conn] < 1_000
    assert answerer.seen == [(0, "start")]


def test_quic_tells_nobody_and_a_new_connection_is_given_up_after_three_seconds() -> None:
    asker = Asker(NODE, QUIC, (5 * S,))
    stage(crash(4 * S), asker=asker)
    assert [(round((t - 5 * S) / S, 3), why) for t, _, why in asker.seen] == [(3.0, "unreachable")]
    # On a connection that was open before, there is silence.
    asker = Asker(NODE, QUIC, (3 * S, 5 * S))
    stage(crash(4 * S), asker=asker)
    assert [exchange for _, exchange, _ in asker.seen] == [70]


@pytest.mark.parametrize("conn", [HTTPS, OMQ])
def test_a_host_that_is_off_is_silent(conn: int) -> None:
    asker = Asker(NODE, conn, (3 * S, 5 * S))
    stage(crash(4 * S, answer=Answer.SILENT), asker=asker)
    assert [exchange for _, exchange, _ in asker.seen] == [70]


def test_a_client_learns_at_once_that_the_program_it_waits_for_has_died() -> None:
    for conn, known in ((HTTPS, 1), (QUIC, 0), (OMQ, 0)):
        asker = Asker(NODE, conn, (3 * S,))
        stage(crash(4 * S), asker=asker, answerer=Answerer(takes_us=10 * S))
        assert len(asker.seen) == known
        for t_us, exchange, reason in asker.seen:
            assert (t_us, exchange, reason) == (4 * S + RTT[HTTPS] // 2, 70, "refused")
    # Not so one whose answer has left already, nor if the host just goes off.
    asker = Asker(NODE, HTTPS, (3 * S,))
    stage(crash(4 * S), asker=asker)
    assert [head for _, _, head in asker.seen] == [200]
    asker = Asker(NODE, HTTPS, (3 * S,))
    stage(crash(4 * S, answer=Answer.SILENT), asker=asker, answerer=Answerer(takes_us=10 * S))
    assert asker.seen == []


def test_a_program_that_starts_again_hears_what_it_missed_and_nothing_that_was_planned() -> None:
    asker = Asker(NODE, OMQ, (3 * S, 5 * S, 9 * S))
    commands = [
        (5 * S, NODE, ("swarms", "old")),
        (6 * S, NODE, ("swarms", "new")),
        (6 * S, NODE, ("synced", 1)),
    ]
    answerer, _ = stage(
        crash(4 * S, 8 * S, lost=True), asker=asker, answerer=Answerer(takes_us=2 * S), commands=commands
    )
    seen = [entry for entry in answerer.seen if entry[1] not in (70, 71, 72)]
    assert seen[:4] == [
        (0, "start"),
        (8 * S, "restart", True),
        (8 * S, "swarms", "new"),
        (8 * S, "synced", 1),
    ]
    assert [what for _, what in seen[4:]] == ["wake"]  # of the request after it; that of the first is void
    assert [exchange for _, exchange, head in asker.seen if head == 200] == [70, 72]


def test_a_machine_that_is_down_at_first_starts_later_and_only_once() -> None:
    answerer, _ = stage(crash(0, 8 * S), asker=Asker(NODE, OMQ, (9 * S,)))
    assert [what for _, what in answerer.seen] == ["start", 70]
    assert answerer.seen[0][0] == 8 * S


def test_crashes_that_lie_on_one_another_end_together() -> None:
    turns = sorted(crash(2 * S, 6 * S, lost=True) + crash(4 * S, 9 * S), key=lambda turn: turn.t_us)
    answerer, _ = stage(turns, asker=Asker(NODE, OMQ, ()))
    assert answerer.seen == [(0, "start"), (9 * S, "restart", True)]


def test_a_connection_is_opened_again_after_a_crash() -> None:
    asker = Asker(NODE, HTTPS, (3 * S, 5 * S))
    _, rows = stage(crash(4 * S, 4 * S + 1), asker=asker)
    assert (rows["head"] == HEAD_CODE["handshake"]).sum() == 4
    _, rows = stage(crash(2 * S, 2 * S + 1), asker=Asker(NODE, HTTPS, (3 * S, 5 * S)))
    assert (rows["head"] == HEAD_CODE["handshake"]).sum() == 2


def test_what_reaches_a_hanging_machine_is_done_in_order_afterwards() -> None:
    asker = Asker(NODE, OMQ, (5 * S, 6 * S, 20 * S))
    answerer, _ = stage([Turn(4 * S, NODE, What.HANGS, 9 * S)], asker=asker)
    assert [entry for entry in answerer.seen if entry[0] <= 10 * S] == [
        (0, "start"),
        (9 * S, 70),
        (9 * S, 71),
    ]
    assert [exchange for _, exchange, _ in asker.seen] == [70, 71, 72]


def test_a_crash_ends_a_hang_and_drops_what_waited() -> None:
    asker = Asker(NODE, OMQ, (5 * S,))
    turns = [Turn(4 * S, NODE, What.HANGS, 9 * S), *crash(6 * S)]
    answerer, _ = stage(turns, asker=asker)
    assert answerer.seen == [(0, "start")]
    assert [reason for _, _, reason in asker.seen] == ["refused"]


def test_a_slow_machine_sends_later_and_slow_spells_add_up() -> None:
    one, two = Extra(S, False, 1), Extra(500_000, True, 2)
    quick = Asker(NODE, OMQ, (5 * S,))
    stage([Turn(99 * S, NODE, What.HANGS, 99 * S)], asker=quick)
    for slows, expected in (([one], S), ([one, one], 2 * S), ([two], None)):
        asker = Asker(NODE, OMQ, (5 * S,))
        _, rows = stage([Turn(S, NODE, What.SLOWS, extra) for extra in slows], asker=asker)
        later = asker.seen[0][0] - quick.seen[0][0]
        answer = mix(mix(12, 70), 1)
        if expected is None:
            expected = int(-500_000 * np.log(((mix(answer, 2) >> 11) + 0.5) / 2**53))
        assert later == expected
        assert rows["t_recv_us"][1] - rows["t_sent_us"][1] == rows["t_recv_us"][0] - rows["t_sent_us"][0]
    asker = Asker(NODE, OMQ, (5 * S,))
    stage([Turn(S, NODE, What.SLOWS, one), Turn(2 * S, NODE, What.SPEEDS_UP, one)], asker=asker)
    assert asker.seen == quick.seen


def test_clocks_and_disks_are_told_to_the_machine_and_add_up() -> None:
    turns = [
        Turn(0, NODE, What.CLOCK_MOVES, 5), Turn(S, NODE, What.CLOCK_MOVES, 7),
        Turn(2 * S, NODE, What.CLOCK_MOVES, -5),
        Turn(3 * S, NODE, What.DISK_FILLS, None), Turn(4 * S, NODE, What.DISK_FILLS, None),
        Turn(5 * S, NODE, What.DISK_EMPTIES, None), Turn(6 * S, NODE, What.DISK_EMPTIES, None),
    ]  # fmt: skip
    answerer, _ = stage(turns, asker=Asker(NODE, OMQ, ()))
    assert answerer.seen[0] == (0, "start")
    assert answerer.seen[1:] == [
        (0, "clock", 5), (S, "clock", 12), (2 * S, "clock", 7),
        (3 * S, "disk", True), (4 * S, "disk", True), (5 * S, "disk", True), (6 * S, "disk", False),
    ]  # fmt: skip


def way(begin: int, end: int, **more: Any) -> tuple[list[Turn], list[Way]]:
    made = Way(
        begin, end, frozenset({NODE}), more.get("cuts", True), more.get("lost", 0.0), more.get("extra"), 9
    )
    return [Turn(begin, -1, What.WAY_BEGINS, made), Turn(end, -1, What.WAY_ENDS, made)], [made]


def test_a_cut_holds_up_what_is_sent_and_lets_pass_what_is_under_way() -> None:
    asker = Asker(NODE, OMQ, (4 * S - 1, 5 * S, 90 * S))
    _, rows = stage(*way(4 * S, 8 * S), asker=asker)
    rto = RTT[OMQ] + 200_000
    sent, got = rows["t_sent_us"], rows["t_recv_us"]
    quiet = got[rows["exchange"] == 72][0] - 90 * S
    assert got[0] - sent[0] == quiet
    # The answer to the first leaves during the cut, as the second question does.
    waits = [rto * ((1 << k) - 1) for k in range(8)]
    second = rows[(rows["exchange"] == 71) & (rows["direction"] == 0)]
    assert second["t_recv_us"][0] - 5 * S - quiet == next(w for w in waits if 5 * S + w >= 8 * S)
    first = rows[(rows["exchange"] == 70) & (rows["direction"] == 1)]
    left = first["t_sent_us"][0]
    assert first["t_recv_us"][0] - left - quiet == next(w for w in waits if left + w >= 8 * S)


def test_over_a_cut_tcp_tries_on_and_quic_gives_up_opening() -> None:
    asker = Asker(NODE, HTTPS, (5 * S,))
    stage(*way(4 * S, 11 * S), asker=asker)
    ((t_us, _, head),) = asker.seen
    assert head == 200
    assert 7 * S < t_us - 5 * S < 8 * S + 5 * RTT[HTTPS]  # tries after 1, 3 and 7 s
    asker = Asker(NODE, QUIC, (5 * S,))
    stage(*way(4 * S, 11 * S), asker=asker)
    assert asker.seen == [(8 * S, 70, "unreachable")]
    asker = Asker(NODE, QUIC, (9 * S,))
    stage(*way(4 * S, 11 * S), asker=asker)
    assert asker.seen[0][2] == 200  # the try after 3 s is in time
    asker = Asker(NODE, HTTPS, (5 * S,))
    stage(*way(4 * S, 99 * S), asker=asker)
    assert asker.seen == []


def test_what_never_arrives_stands_in_the_records_without_a_time() -> None:
    _, rows = stage(*way(4 * S, 99 * S), asker=Asker(NODE, OMQ, (5 * S,)))
    assert list(rows["t_recv_us"]) == [-1]


def test_simpy_and_the_heap_loop_agree_in_trouble() -> None:
    turns = sorted(
        [*crash(4 * S, 8 * S), *way(9 * S, 12 * S, lost=0.5, cuts=False)[0]], key=lambda turn: turn.t_us
    )
    ways = way(9 * S, 12 * S, lost=0.5, cuts=False)[1]
    found = []
    for kernel in (HeapKernel(), SimpyKernel()):
        asker = Asker(NODE, HTTPS, tuple(range(S, 15 * S, S)))
        _, rows = stage(turns, ways, asker=asker, kernel=kernel)
        found.append((asker.seen, rows.tobytes()))
    assert found[0] == found[1]


def test_a_program_that_starts_again_no_longer_hangs() -> None:
    turns = [Turn(4 * S, NODE, What.HANGS, 20 * S), *crash(6 * S, 8 * S)]
    asker = Asker(NODE, OMQ, (9 * S,))
    stage(turns, asker=asker)
    assert [(exchange, head) for _, exchange, head in asker.seen] == [(70, 200)]
    assert asker.seen[0][0] < 10 * S


def test_what_a_program_had_planned_before_it_died_does_not_happen() -> None:
    slow, asker = Answerer(takes_us=10 * S), Asker(NODE, OMQ, (3 * S,))
    answerer, _ = stage(crash(4 * S, 8 * S), asker=asker, answerer=slow)
    assert [what for _, what, *_ in answerer.seen] == ["start", 70, "restart"]
