"""The host: carries transmissions between protocol machines and writes down what passes the watched links.

The host knows time, places and links; machines know the protocol. Nothing about Session's behaviour may
live here. Two kernels drive the same host: simpy, and a heap loop of ten lines that exists to prove that
machines do not depend on the kernel (equal effects and rows, tested).

Speed (see `docs/adr/0002-simpy-queue.md`): one small event class and one shared callback, put into simpy's
queue directly by `_SimpyKernel.at`, the only place that relies on how that queue looks.

Each transmission has a 64-bit draw address (`protocol.machine`); its delay is a function of that address,
its ends and its size alone. Node-to-node connections are taken as warm, since nodes test each other all the
time (Assumption; transport 5.11). Client connections open with a handshake, and again after an idle time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

import simpy

from sessionsim.core.columns import HEAD_CODE, ROW, SIDE, Cause, note_of, note_outside, note_within
from sessionsim.core.records import SPILL_BYTES, RecordSink
from sessionsim.core.seeds import GOLDEN, MASK64, MIX1, MIX2
from sessionsim.network.links import Links
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.machine import DELIVER, EVENT, LOG, SEND, WAKE_AT, Effects, Machine


class Journal(Protocol):
    """Who takes down truth: deliveries and log effects of the machines."""

    def deliver(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...
    def log(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...
    def event(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...


# An entry of the queue is a flat tuple: time in µs, 1, rank, kind, and what belongs to the kind. Entries of
# one time are taken by rank, the order in which they were put; nothing behind the rank is ever compared.
#   (t_us, 1, rank, _ARRIVE, dst, src, conn, exchange, head, payload, trace, note)
#   (t_us, 1, rank, _WAKE, endpoint, number of the wish)
#   (t_us, 1, rank, _COMMAND, endpoint, command)
#   (t_us, 1, rank, _FAILED, src, dst, conn, exchange, reason, trace, note)
#   (t_us, 1, rank, _START, endpoint)
Entry = tuple[Any, ...]
_ARRIVE, _WAKE, _COMMAND, _FAILED, _START = range(5)
_SIMPY_ENTRY = 4  # length of an entry that simpy put


class Kernel(Protocol):
    """A queue of future entries.

    `queue` is a heap that entries are pushed into, `ranks` gives the next rank. `later` takes entries that
    mostly come in order of time and outlive their reason.
    """

    queue: list[Any]
    ranks: Iterator[int]

    def later(self, entry: Entry) -> None: ...
    def run(self, until_us: int, handle: Callable[[Entry], None]) -> None: ...


class SimpyKernel:
    """simpy's Environment, whose queue also takes our flat tuples; its own events run beside them.

    simpy's entries are (time, priority, rank, event); ours are longer and of the same first three. Only this
    class, and `Host` where it pushes into `queue`, know how that queue looks. The safe way, dearer, would be
    `timeout = env.timeout(t_us - env.now, entry); timeout.callbacks.append(handle)` and `env.run(until_us)`.

    `later` is for wishes to be woken after a time-out. Most come in order of time and outlive their reason,
    so they wait in a plain queue and leave the heap small; entries of both are taken in one order.
    """

    def __init__(self) -> None:
        self.env = simpy.Environment(0)
        self.queue: list[Any] = self.env._queue
        self.ranks: Iterator[int] = self.env._eid
        self._late: deque[Entry] = deque()

    def later(self, entry: Entry) -> None:
        if self._late and entry[0] < self._late[-1][0]:
            heappush(self.queue, entry)
        else:
            self._late.append(entry)

    def run(self, until_us: int, handle: Callable[[Entry], None]) -> None:
        env, queue, late = self.env, self.queue, self._late
        while queue or late:
            if late and (not queue or late[0] < queue[0]):
                if late[0][0] >= until_us:
                    break
                entry = late.popleft()
            else:
                entry = queue[0]
                if entry[0] >= until_us:
                    break
                if len(entry) == _SIMPY_ENTRY:
                    env.step()
                    continue
                heappop(queue)
            env._now = entry[0]
            handle(entry)
        env._now = until_us


class HeapKernel:
    """The ten-line heap loop: same order of entries as simpy, no library."""

    def __init__(self) -> None:
        self.queue: list[Any] = []
        self.ranks: Iterator[int] = count()

    def later(self, entry: Entry) -> None:
        heappush(self.queue, entry)

    def run(self, until_us: int, handle: Callable[[Entry], None]) -> None:
        while self.queue and self.queue[0][0] < until_us:
            handle(heappop(self.queue))


class Host:
    """Drives machines over links.

    Args:
        machines: one per endpoint; service nodes first, clients after them.
        n_nodes: how many of them are service nodes.
        addresses: 64-bit draw address per endpoint.
        links, sizes: delay and wire-size models.
        families: per endpoint, whose HTTP headers its requests have (see wire_sizes).
        kernel: simpy or the heap loop.
        sink: takes rows of watched links; None records nothing.
        journal: takes truth.
        watched: endpoints all of whose links are recorded.
        keep_bytes: keep application bytes of recorded rows.
        down: endpoints that do not answer; requests to them fail after one round trip.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        n_nodes: int,
        addresses: Sequence[int],
        links: Links,
        sizes: WireSizes,
        families: bytes,
        kernel: Kernel,
        journal: Journal,
        sink: RecordSink | None = None,
        watched: frozenset[int] = frozenset(),
        keep_bytes: bool = False,
        down: frozenset[int] = frozenset(),
    ) -> None:
        self.machines = machines
        self._kernel, self._journal = kernel, journal
        self._queue, self._ranks, self._later = kernel.queue, kernel.ranks, kernel.later
        self._n_nodes, self._addresses = n_nodes, addresses
        self._links, self._sizes, self._families = links, sizes, families
        self._delay_us, self._wire_table = links.delay_us, sizes.table
        self._sink, self._keep_bytes, self._down = sink, keep_bytes, down
        self._watched = bytearray(len(machines))
        if sink is not None:
            for endpoint in watched:
                self._watched[endpoint] = 1
        self._wishes = [0] * len(machines)
        self._conns: dict[int, list[int]] = {}
        self._conn_ids = count()
        self.transmissions = 0

    def start(self) -> None:
        """Start every machine at time 0, in endpoint order."""
        for endpoint in range(len(self.machines)):
            self._handle((0, 1, next(self._ranks), _START, endpoint))

    def command(self, t_us: int, endpoint: int, command: tuple[Any, ...]) -> None:
        """Have a command given to a machine at `t_us`."""
        heappush(self._queue, (t_us, 1, next(self._ranks), _COMMAND, endpoint, command))

    def run(self, until_us: int) -> None:
        """Run all events before `until_us`. Can be called again with a later time."""
        self._kernel.run(until_us, self._handle)

    def _handle(self, entry: Entry) -> None:
        """Give one entry of the queue to its machine, and carry out what the machine wants.

        `cause` is the draw address of the transmission that led to the effects, −1 if the machine began by
        itself; `note` is that transmission's.
        """
        kind = entry[3]
        if kind == _ARRIVE:
            now, _, _, _, src, sender, conn, exchange, head, payload, cause, note = entry
            effects = self.machines[src].receive(sender, conn, exchange, head, payload, now)
            if note & SIDE and type(head) is int:
                note = note_outside(note)  # an answered side request (replication) is over
        elif kind == _WAKE:
            now, _, _, _, src, wish = entry
            if wish != self._wishes[src]:
                return  # a later wish has taken its place, as for most requests that were answered in time
            effects, cause, note = self.machines[src].wake(now), -1, 0
        else:
            now, src, effects, cause, note = self._handle_other(entry)
        position = 0
        n_nodes = self._n_nodes
        for effect in effects:
            if effect[0] != SEND:
                self._do(effect, src, now)
                continue
            position += 1
            _, dst, conn, exchange, head, payload, own_note = effect
            # core.seeds.mix, written out
            if cause < 0:
                trace = (self._addresses[src] ^ (exchange * GOLDEN)) & MASK64
            else:
                trace = (cause ^ (position * GOLDEN)) & MASK64
            trace = ((trace ^ (trace >> 30)) * MIX1) & MASK64
            trace = ((trace ^ (trace >> 27)) * MIX2) & MASK64
            trace ^= trace >> 31
            if not own_note:
                own_note = note
            elif src < n_nodes:
                own_note = note_within(own_note, note)
            if self._down and (dst in self._down or src in self._down):
                self._fail(src, dst, conn, exchange, head, now, trace, own_note)
                continue
            self.transmissions += 1
            direction = 0 if type(head) is str else 1
            wire = self._wire_table[len(payload) << 5 | self._families[src] << 4 | direction << 3 | conn & 7]
            watched = self._watched[src] or self._watched[dst]
            sent, number = now, -1
            if src >= n_nodes or dst >= n_nodes:
                number, sent = self._client_connection(src, dst, conn, direction, now, watched)
            arrived = sent + self._delay_us(src, dst, wire[0], trace)
            if watched:
                self._record(sent, arrived, src, number, wire, effect, own_note)
            heappush(
                self._queue,
                (
                    arrived, 1, next(self._ranks), _ARRIVE, dst, src, conn, exchange, head, payload, trace,
                    own_note,
                ),
            )  # fmt: skip

    def _handle_other(self, entry: Entry) -> tuple[int, int, Effects, int, int]:
        """Take any other entry. Returns time, endpoint, effects, cause and note."""
        now, _, _, kind, endpoint = entry[:5]
        machine = self.machines[endpoint]
        if kind == _COMMAND:
            effects = machine.command(entry[5], now)
        elif kind == _START:
            effects = machine.start(now)
        else:
            _, _, _, _, _, dst, conn, exchange, reason, trace, note = entry
            return now, endpoint, machine.failed(dst, conn, exchange, reason, now), trace, note_outside(note)
        return now, endpoint, effects, -1, 0

    def _do(self, effect: tuple[Any, ...], src: int, now: int) -> None:
        """Carry out an effect that is not a transmission."""
        if effect[0] == WAKE_AT:
            self._wishes[src] = wish = self._wishes[src] + 1
            t_us = effect[1] if effect[1] > now else now
            self._later((t_us, 1, next(self._ranks), _WAKE, src, wish))
        elif effect[0] == DELIVER:
            self._journal.deliver(src, effect, now)
        elif effect[0] == LOG:
            self._journal.log(src, effect, now)
        elif effect[0] == EVENT:
            self._journal.event(src, effect, now)

    def _fail(
        self, src: int, dst: int, conn: int, exchange: int, head: str | int, now: int, trace: int, note: int
    ) -> None:
        """Tell a requester after one round trip that nobody answers there; a dead machine sends nothing."""
        if type(head) is str and src not in self._down:
            t_us = now + self._links.base_rtt_us(src, dst)
            failed = (_FAILED, src, dst, conn, exchange, "unreachable", trace, note)
            heappush(self._queue, (t_us, 1, next(self._ranks), *failed))

    def _record(
        self,
        sent: int,
        arrived: int,
        src: int,
        number: int,
        wire: tuple[int, int],
        effect: tuple[Any, ...],
        note: int,
    ) -> None:
        """Write down a transmission on a watched link. `number`: of a client's connection, else -1."""
        _, dst, conn, exchange, head, payload, _ = effect
        direction = 0 if type(head) is str else 1
        if number < 0:
            number = self._mesh_connection(src, dst, conn, direction)
        sink = self._sink
        assert sink is not None
        sink.buffer += ROW.pack(
            sent, arrived, exchange, note, src, dst, number, len(payload), wire[0],
            sink.keep(payload) if self._keep_bytes else -1,
            wire[1], HEAD_CODE[head] if type(head) is str else head, conn & 7, direction,
        )  # fmt: skip
        if len(sink.buffer) >= SPILL_BYTES:
            sink.spill()

    def _mesh_connection(self, src: int, dst: int, conn: int, direction: int) -> int:
        """Give the number of a node-to-node connection, named by first appearance of its opener."""
        key = ((src << 24 | dst) if direction == 0 else (dst << 24 | src)) << 8 | conn
        state = self._conns.get(key)
        if state is None:
            state = self._conns[key] = [next(self._conn_ids), 0]
        return state[0]

    def _client_connection(
        self, src: int, dst: int, conn: int, direction: int, now: int, watched: int
    ) -> tuple[int, int]:
        """Open or reuse a client's connection. Returns its number and when this transmission may leave."""
        key = ((src << 24 | dst) if direction == 0 else (dst << 24 | src)) << 8 | conn
        state = self._conns.get(key)  # number, ready_us, last_used_us
        transport = conn & 7
        if direction == 0:
            idle_limit = self._sizes.idle_limit_us(transport)
            if state is None or now - state[2] > idle_limit:
                state = self._conns[key] = [next(self._conn_ids), 0, now]
                state[1] = self._shake_hands(src, dst, state[0], transport, now, watched)
            elif watched:
                self._keep_alive(src, dst, state, transport, now)
            ready = state[1] if state[1] > now else now
            state[2] = ready
            return state[0], ready
        if state is None:  # an answer to nothing: only a faulty machine does this
            state = self._conns[key] = [next(self._conn_ids), 0, now]
        state[2] = now
        return state[0], now

    def _shake_hands(self, src: int, dst: int, number: int, transport: int, now: int, watched: int) -> int:
        """Record a handshake as one row each way; give the time it is done."""
        ours, theirs, round_trips = self._sizes.handshake(transport)
        rtt = self._links.base_rtt_us(src, dst)
        done = now + round_trips * rtt
        if watched:
            head, note = HEAD_CODE["handshake"], note_of(Cause.HANDSHAKE)
            half = rtt // 2
            self._control_row(now, now + half, note, src, dst, number, ours, head, transport, 0)
            self._control_row(now + half, done, note, dst, src, number, theirs, head, transport, 1)
        return done

    def _keep_alive(self, src: int, dst: int, state: list[int], transport: int, now: int) -> None:
        """Record the keep-alive datagrams of the silence that ends now."""
        size, interval = self._sizes.keep_alive(transport)
        if not interval:
            return
        head, note = HEAD_CODE["keepalive"], note_of(Cause.KEEPALIVE)
        half = self._links.base_rtt_us(src, dst) // 2
        for t_us in range(state[2] + interval, now, interval):
            self._control_row(t_us, t_us + half, note, src, dst, state[0], size, head, transport, 0)

    def _control_row(
        self,
        sent: int,
        arrived: int,
        note: int,
        src: int,
        dst: int,
        number: int,
        wire_bytes: int,
        head: int,
        transport: int,
        direction: int,
    ) -> None:
        assert self._sink is not None
        segments = max(1, -(-wire_bytes // 1448))
        self._sink.buffer += ROW.pack(
            sent, arrived, -1, note, src, dst, number, 0, wire_bytes, -1, segments, head, transport, direction
        )
