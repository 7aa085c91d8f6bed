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

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

import simpy

from sessionsim.core.columns import HEAD_CODE, ROW, Cause, note_of, note_outside, note_within
from sessionsim.core.records import SPILL_BYTES, RecordSink
from sessionsim.core.seeds import mix
from sessionsim.network.links import Links
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.machine import DELIVER, LOG, SEND, WAKE_AT, Effects, Machine


class Journal(Protocol):
    """Who takes down truth: deliveries and log effects of the machines."""

    def deliver(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...
    def log(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...


class Kernel(Protocol):
    """A queue of future events; times in integer microseconds."""

    def at(self, t_us: int, item: tuple[Any, ...]) -> None: ...
    def run(self, until_us: int, handle: Callable[[Event], None]) -> None: ...


# Kinds of event. The items of the queue are plain tuples:
#   (_ARRIVE, t_us, dst, src, conn, exchange, head, payload, trace, note)
#   (_WAKE, t_us, endpoint, number of the wish)
#   (_COMMAND, t_us, endpoint, command)
#   (_FAILED, t_us, src, dst, conn, exchange, reason, trace, note)
_ARRIVE, _WAKE, _COMMAND, _FAILED = range(4)
# What made a machine act: itself (time or a command), a request that came in, or an answer.
_BY_ITSELF, _BY_REQUEST, _BY_ANSWER = range(3)


class Event:
    """One entry of a queue. `callbacks` and `_ok` are what simpy expects of an event."""

    __slots__ = ("callbacks", "item")
    _ok = True

    def __init__(self, item: tuple[Any, ...], callbacks: list[Callable[[Any], None]] | None) -> None:
        self.item, self.callbacks = item, callbacks


class SimpyKernel:
    """simpy's Environment, fed with `Event` objects instead of Timeouts."""

    def __init__(self) -> None:
        self._env = simpy.Environment(0)
        self._queue = self._env._queue
        self._ids = self._env._eid
        self._callbacks: list[Callable[[Any], None]] = []

    def at(self, t_us: int, item: tuple[Any, ...]) -> None:
        # What env.schedule() does, without Timeout objects. The safe way, somewhat dearer:
        #   timeout = env.timeout(t_us - env.now, item); timeout.callbacks.append(handle)
        heappush(self._queue, (t_us, 1, next(self._ids), Event(item, self._callbacks)))  # type: ignore[misc]

    def run(self, until_us: int, handle: Callable[[Event], None]) -> None:
        self._callbacks[:] = [handle]
        self._env.run(until_us)


class HeapKernel:
    """The ten-line heap loop: same order of events as simpy, no library."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, Event]] = []
        self._ids = count()

    def at(self, t_us: int, item: tuple[Any, ...]) -> None:
        heappush(self._queue, (t_us, next(self._ids), Event(item, None)))

    def run(self, until_us: int, handle: Callable[[Event], None]) -> None:
        while self._queue and self._queue[0][0] < until_us:
            handle(heappop(self._queue)[2])


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
        self._kernel, self._at, self._journal = kernel, kernel.at, journal
        self._n_nodes, self._addresses = n_nodes, addresses
        self._links, self._sizes, self._families = links, sizes, families
        self._delay_us, self._wire = links.delay_us, sizes.wire
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
        for endpoint, machine in enumerate(self.machines):
            self._apply(machine.start(0), endpoint, 0, self._addresses[endpoint], 0, _BY_ITSELF)

    def command(self, t_us: int, endpoint: int, command: tuple[Any, ...]) -> None:
        """Have a command given to a machine at `t_us`."""
        self._at(t_us, (_COMMAND, t_us, endpoint, command))

    def run(self, until_us: int) -> None:
        """Run all events before `until_us`. Can be called again with a later time."""
        self._kernel.run(until_us, self._handle)

    def _handle(self, event: Event) -> None:
        item = event.item
        kind, now, endpoint = item[0], item[1], item[2]
        machine = self.machines[endpoint]
        if kind == _ARRIVE:
            _, _, _, src, conn, exchange, head, payload, trace, note = item
            effects = machine.receive(src, conn, exchange, head, payload, now)
            if effects:
                why = _BY_ANSWER if type(head) is int else _BY_REQUEST
                self._apply(effects, endpoint, now, trace, note, why)
        elif kind == _WAKE:
            if item[3] == self._wishes[endpoint]:
                self._apply(machine.wake(now), endpoint, now, self._addresses[endpoint], 0, _BY_ITSELF)
        elif kind == _COMMAND:
            effects = machine.command(item[3], now)
            self._apply(effects, endpoint, now, self._addresses[endpoint], 0, _BY_ITSELF)
        else:
            _, _, _, dst, conn, exchange, reason, trace, note = item
            effects = machine.failed(dst, conn, exchange, reason, now)
            self._apply(effects, endpoint, now, trace, note, _BY_ANSWER)

    def _apply(self, effects: Effects, src: int, now: int, cause: int, note: int, why: int) -> None:
        """Carry out the effects of one call. `cause` is the draw address of what led to them."""
        position = 0
        for effect in effects:
            kind = effect[0]
            if kind == SEND:
                position += 1
                _, dst, conn, exchange, head, payload, own_note = effect
                if why == _BY_ITSELF:
                    trace = mix(cause, exchange)
                    own_note = own_note or note
                else:
                    trace = mix(cause, position)
                    if not own_note:
                        # An answer sent because an answer came in closes a side request (replication).
                        own_note = note_outside(note) if why == _BY_ANSWER and type(head) is int else note
                    elif src < self._n_nodes:
                        own_note = note_within(own_note, note_outside(note) if why == _BY_ANSWER else note)
                self._transmit(src, dst, conn, exchange, head, payload, now, trace, own_note)
            elif kind == WAKE_AT:
                self._wishes[src] = wish = self._wishes[src] + 1
                t_us = effect[1] if effect[1] > now else now
                self._at(t_us, (_WAKE, t_us, src, wish))
            elif kind == DELIVER:
                self._journal.deliver(src, effect, now)
            elif kind == LOG:
                self._journal.log(src, effect, now)

    def _transmit(
        self,
        src: int,
        dst: int,
        conn: int,
        exchange: int,
        head: str | int,
        payload: bytes,
        now: int,
        trace: int,
        note: int,
    ) -> None:
        """Put one transmission on its way."""
        if self._down and (dst in self._down or src in self._down):
            if type(head) is str and src not in self._down:
                t_us = now + self._links.base_rtt_us(src, dst)
                self._at(t_us, (_FAILED, t_us, src, dst, conn, exchange, "unreachable", trace, note))
            return
        self.transmissions += 1
        direction = 0 if type(head) is str else 1
        wire_bytes, segments = self._wire(conn & 7, direction, len(payload), self._families[src])
        n_nodes, sent, number = self._n_nodes, now, -1
        watched = self._watched[src] or self._watched[dst]
        if src >= n_nodes or dst >= n_nodes:
            number, sent = self._client_connection(src, dst, conn, direction, now, watched)
        arrived = sent + self._delay_us(src, dst, wire_bytes, trace)
        if watched:
            if number < 0:
                number = self._mesh_connection(src, dst, conn, direction)
            sink = self._sink
            assert sink is not None
            buffer = sink.buffer
            buffer += ROW.pack(
                sent, arrived, exchange, note, src, dst, number, len(payload), wire_bytes,
                sink.keep(payload) if self._keep_bytes else -1,
                segments, HEAD_CODE[head] if type(head) is str else head, conn & 7, direction,
            )  # fmt: skip
            if len(buffer) >= SPILL_BYTES:
                sink.spill()
        self._at(arrived, (_ARRIVE, arrived, dst, src, conn, exchange, head, payload, trace, note))

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
