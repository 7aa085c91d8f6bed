"""The host: carries transmissions between protocol machines and writes down what passes the watched links.

The host knows time, places and links; machines know the protocol. Nothing about Session's behaviour may
live here. Two kernels drive the same host, see `kernels`.

Speed (see `docs/adr/0002-simpy-queue.md`): flat tuples and one shared callback, pushed into simpy's queue.
Faults (`faults.trouble`) and interference are looked at only if there are any; then entries take the longer
way of `_handle_in_trouble`, and transmissions that of `_send_in_trouble`.

Each transmission has a 64-bit draw address (`protocol.machine`); its delay is a function of that address,
its ends and its size alone. Node-to-node connections are taken as warm, since nodes test each other all the
time (Assumption; transport 5.11). Client connections open with a handshake, and again after an idle time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

from sessionsim.core.columns import (
    HEAD_CODE,
    ROW,
    SIDE,
    Cause,
    Transport,
    note_of,
    note_outside,
    note_within,
)
from sessionsim.core.records import SPILL_BYTES, RecordSink
from sessionsim.core.seeds import GOLDEN, MASK64, MIX1, MIX2, mix
from sessionsim.network.capacity import Capacity
from sessionsim.network.faults.plan import Turn, What
from sessionsim.network.faults.trouble import NEVER, Trouble
from sessionsim.network.interference import Meddler
from sessionsim.network.kernels import (
    ARRIVE,
    CALL,
    COMMAND,
    FAILED,
    LATE,
    PASS,
    START,
    TURN,
    WAKE,
    Entry,
    Kernel,
)
from sessionsim.network.links import Links
from sessionsim.network.passages import Passages
from sessionsim.network.trains import Trains
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.machine import (
    BACK,
    CLOSE,
    CONNECT,
    CONNECTED,
    DELIVER,
    EVENT,
    LATER,
    LOG,
    SEND,
    WAKE_AT,
    Effects,
    Machine,
)

_QUIC = int(Transport.QUIC)
_NOBODY: frozenset[int] = frozenset()


class Journal(Protocol):
    """Who takes down truth: deliveries and log effects of the machines."""

    def deliver(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...
    def log(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...
    def event(self, endpoint: int, effect: tuple[Any, ...], now_us: int) -> None: ...


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
        trouble: what fails and when; None if nothing does.
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
        trouble: Trouble | None = None,
    ) -> None:
        self.machines = machines
        self.kernel, self._journal = kernel, journal
        self._queue, self._ranks, self._later = kernel.queue, kernel.ranks, kernel.later
        self._n_nodes, self._addresses = n_nodes, addresses
        self._links, self._sizes, self._families = links, sizes, families
        self._delay_us, self._wire_table = links.delay_us, sizes.table
        self._sink, self._keep_bytes, self._trouble = sink, keep_bytes, trouble
        self._handler = self._handle if trouble is None else self._handle_in_trouble
        self._watched = bytearray(len(machines))
        if sink is not None:
            for endpoint in watched:
                self._watched[endpoint] = 1
        self._wishes = [0] * len(machines)
        self._conns: dict[int, list[int]] = {}
        self._conn_ids = count()
        self.transmissions = 0
        self._trains: Trains | None = None
        self._passages: Passages | None = None

    def let_pass(self, passages: Passages) -> None:
        """Take unsealed requests from machines, and let them pass relays at once. Called before `start`."""
        self._passages = passages

    def ride(self, trains: Trains) -> None:
        """Let clients sleep through idle polls. Called before `start`."""
        self._trains, self._handler = trains, self._handle_beside_trains

    def start(self) -> None:
        """Start every machine at time 0, in endpoint order."""
        if self._trouble is not None:
            for turn in self._trouble.plan.turns:
                if turn.t_us:
                    heappush(self._queue, (turn.t_us, 1, next(self._ranks), TURN, turn))
                else:
                    self._turn(self._trouble, turn, 0)
        for endpoint in range(len(self.machines)):
            self._handler((0, 1, next(self._ranks), START, endpoint))

    def command(self, t_us: int, endpoint: int, command: tuple[Any, ...]) -> None:
        """Have a command given to a machine at `t_us`."""
        heappush(self._queue, (t_us, 1, next(self._ranks), COMMAND, endpoint, command))

    def at(self, t_us: int, act: Callable[[int], None]) -> None:
        """Have something called with the time at `t_us`, which no machine does: a block, for example."""
        heappush(self._queue, (t_us, 1, next(self._ranks), CALL, act))

    def run(self, until_us: int) -> None:
        """Run all events before `until_us`. Can be called again with a later time."""
        self.kernel.run(until_us, self._handler)

    def _handle(self, entry: Entry) -> None:
        """Give one entry of the queue to its machine, and carry out what the machine wants.

        `cause` is the draw address of the transmission that led to the effects, −1 if the machine began by
        itself; `note` is that transmission's.
        """
        kind = entry[3]
        if kind == ARRIVE:
            now, _, _, _, src, sender, conn, exchange, head, payload, cause, note = entry
            effects = self.machines[src].receive(sender, conn, exchange, head, payload, now)
            if note & SIDE and type(head) is int:
                note = note_outside(note)  # an answered side request (replication) is over
        elif kind == WAKE:
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
                if effect[0] == LATER:
                    late = (LATE, src, effect[2], cause, note)
                    heappush(self._queue, (effect[1], 1, next(self._ranks), *late))
                else:
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
            if type(payload) is not bytes:
                assert self._passages is not None
                payload = self._passages.take(src, now, effect, trace, own_note)
                if payload is None:
                    continue
                effect = (*effect[:5], payload, own_note)
            if self._trouble is not None:
                self._send_in_trouble(self._trouble, src, now, effect, trace, own_note)
                continue
            self.transmissions += 1
            direction = 0 if type(head) is str else 1
            wire = self._wire_table[len(payload) << 5 | self._families[src] << 4 | direction << 3 | conn & 7]
            watched = self._watched[src] or self._watched[dst]
            sent, number = now, -1
            if src >= n_nodes or dst >= n_nodes:
                number, sent = self.client_connection(src, dst, conn, direction, now, watched)
            arrived = sent + self._delay_us(src, dst, wire[0], trace)
            if watched:
                self._record(sent, arrived, src, number, wire, effect, own_note)
            heappush(
                self._queue,
                (
                    arrived, 1, next(self._ranks), ARRIVE, dst, src, conn, exchange, head, payload, trace,
                    own_note,
                ),
            )  # fmt: skip

    def _handle_other(self, entry: Entry) -> tuple[int, int, Effects, int, int]:
        """Take any other entry. Returns time, endpoint, effects, cause and note."""
        now, _, _, kind, endpoint = entry[:5]
        if kind == PASS:
            assert self._passages is not None
            self._passages.come_out(entry)
            return now, -1, (), -1, 0
        if kind == CALL:
            endpoint(now)
            return now, -1, (), -1, 0
        if kind == LATE:
            return now, endpoint, (entry[5],), entry[6], entry[7]
        machine = self.machines[endpoint]
        if kind == COMMAND:
            effects = machine.command(entry[5], now)
        elif kind == START:
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
            if self._trains is not None:
                self._trains.wait(src)
            self._later((t_us, 1, next(self._ranks), WAKE, src, wish))
        elif effect[0] == DELIVER:
            self._journal.deliver(src, effect, now)
        elif effect[0] == LOG:
            self._journal.log(src, effect, now)
        elif effect[0] == EVENT:
            self._journal.event(src, effect, now)
        elif effect[0] == CONNECT:
            self._connect(src, now, *effect[1:])
        elif effect[0] == CLOSE:
            self._close(src, now, *effect[1:])

    def _connect(self, src: int, now: int, dst: int, conn: int, exchange: int, note: int) -> None:
        """Open a client's connection, and tell it when it is open, or that it cannot be."""
        watched, trouble = self._watched[src] or self._watched[dst], self._trouble
        sent, trace = now, mix(self._addresses[src], exchange)
        if trouble is not None and not self._is_open(src, dst, conn, now):
            rtt_us = self._links.base_rtt_us(src, dst)
            takes_us, why = trouble.opening(src, dst, conn, now, rtt_us, trace)
            if why:
                self._fail(src, dst, conn, exchange, why, now + takes_us - rtt_us // 2, trace, note)
            if why or takes_us == NEVER:
                return
            sent += takes_us
        _number, ready = self.client_connection(src, dst, conn, 0, sent, watched)
        opened = (ARRIVE, src, dst, conn, exchange, CONNECTED, b"", trace, note)
        heappush(self._queue, (ready, 1, next(self._ranks), *opened))

    def _close(self, src: int, now: int, dst: int, conn: int) -> None:
        """Let go of a client's connection; what keeps it alive ends now."""
        state = self._conns.pop((src << 24 | dst) << 8 | conn, None)
        if state is not None and (self._watched[src] or self._watched[dst]):
            self._keep_alive(src, dst, state, conn & 7, now)

    # --- idle polls in bulk -------------------------------------------------------------------------------

    def _handle_beside_trains(self, entry: Entry) -> None:
        """Give an entry to its machine; a client in a train is first set to where it would be."""
        trains, now, kind, endpoint = self._trains, entry[0], entry[3], entry[4]
        assert trains is not None
        trains.now_us = now
        if kind == TURN:
            trains.catch_up_all(now)
        elif kind == COMMAND and endpoint < self._n_nodes:
            trains.catch_up_over(endpoint, now)
        elif kind == WAKE:
            if entry[5] != self._wishes[endpoint]:
                return
            if endpoint in trains.running:
                trains.end(endpoint)
            if trains.goes_on(endpoint, now):
                return
        elif kind != CALL and endpoint in trains.running:
            trains.catch_up(endpoint, now)
        trains.now_us = now  # catching up carries out what lies in the past
        if self._trouble is None:
            self._handle(entry)
        else:
            self._handle_in_trouble(entry)

    def wake_at(self, endpoint: int, t_us: int) -> None:
        """Wake a machine then, and not before if nothing else happens to it."""
        self._wishes[endpoint] = wish = self._wishes[endpoint] + 1
        heappush(self._queue, (t_us, 1, next(self._ranks), WAKE, endpoint, wish))

    def rewind(self, endpoint: int, t_us: int, now: int) -> None:
        """Wake a client at a time that may be past, and carry out what would have come of it by now."""
        self.wake_at(endpoint, t_us)
        queue = self._queue
        while queue and queue[0][0] < now:
            self._handler(heappop(queue))

    def afflicted(self, now: int) -> frozenset[int] | None:
        """Give the endpoints with which something is wrong, or None if all may be struck."""
        return _NOBODY if self._trouble is None else self._trouble.afflicted(now)

    def last_used_us(self, src: int, dst: int, conn: int) -> int | None:
        """Give when a client's connection was last used, or is going to be; None if there is none."""
        state = self._conns.get((src << 24 | dst) << 8 | conn)
        return None if state is None else state[2]

    def use(self, src: int, dst: int, conn: int, t_us: int) -> None:
        """Take a client's connection, which nobody watches, as open and last used then."""
        self._conns[(src << 24 | dst) << 8 | conn] = [-1, 0, t_us]

    # --- while something fails ----------------------------------------------------------------------------

    def _handle_in_trouble(self, entry: Entry) -> None:
        """Give an entry to its machine if that lives; otherwise let its sender know what it would notice."""
        trouble, now, kind, endpoint = self._trouble, entry[0], entry[3], entry[4]
        assert trouble is not None
        if kind == WAKE and entry[5] != self._wishes[endpoint]:
            return  # nobody's work: a later wish has taken its place
        if kind == TURN:
            self._turn(trouble, endpoint, now)
        elif kind == CALL:
            endpoint(now)
        elif trouble.crashed[endpoint]:
            trouble.miss(entry)
            if kind == ARRIVE and type(entry[8]) is str and trouble.refuses(endpoint, entry[6]):
                self._fail(entry[5], endpoint, entry[6], entry[7], "refused", now, entry[10], entry[11])
        elif trouble.hung_until_us[endpoint] > now:
            heappush(self._queue, (trouble.hung_until_us[endpoint], 1, next(self._ranks), *entry[3:]))
        elif trouble.meddler is not None and endpoint in trouble.meddler.nodes:
            self._meet(trouble, trouble.meddler, entry)
        else:
            self._admit(trouble, entry)

    def _admit(self, trouble: Trouble, entry: Entry) -> None:
        """Give an entry to a machine that lives."""
        if entry[3] == ARRIVE:
            trouble.asked(entry)
        if trouble.capacity is None or entry[4] >= self._n_nodes:
            self._handle(entry)
        else:
            self._work(trouble.capacity, entry)

    def _work(self, capacity: Capacity, entry: Entry) -> None:
        """Give an entry to a node that needs time for it, or drop a request for which there is no room."""
        now, kind, node = entry[0], entry[3], entry[4]
        size_bytes = len(entry[9]) if kind == ARRIVE else 0
        if kind == ARRIVE and type(entry[8]) is str and not capacity.admits(node, size_bytes, now):
            self._journal.event(node, (EVENT, "request dropped", -1, size_bytes), now)
            return
        capacity.begin(node, size_bytes)
        self._handle(entry)
        capacity.end(now)

    def _turn(self, trouble: Trouble, turn: Turn, now: int) -> None:
        """Carry out a change of what works."""
        endpoint = turn.endpoint
        for entry in trouble.turn(turn):
            heappush(self._queue, (now, 1, next(self._ranks), *entry))
        if turn.what == What.CRASHES:
            self._wishes[endpoint] += 1
            for src, conn, exchange, trace, note in trouble.cut_off(endpoint):
                self._fail(src, endpoint, conn, exchange, "refused", now, trace, note)
        if turn.what == What.STARTS or trouble.refuses(endpoint, 0):
            # Its peers learn at once, or with the next they send, that a connection is gone.
            kept = turn.what == What.CRASHES
            for key in [key for key in self._conns if endpoint in (key >> 32, key >> 8 & 0xFFFFFF)]:
                if not (kept and key & 7 == _QUIC):
                    del self._conns[key]

    def _send_in_trouble(
        self, trouble: Trouble, src: int, now: int, effect: tuple[Any, ...], trace: int, note: int
    ) -> None:
        """Let a transmission leave, as `_handle` does, through whatever is wrong with its way."""
        meddler = trouble.meddler
        if meddler is not None and src in meddler.nodes:
            effect = meddler.leaves(src, effect, trace, now)
        _, dst, conn, exchange, head, payload, _ = effect
        direction = 0 if type(head) is str else 1
        wire = self._wire_table[len(payload) << 5 | self._families[src] << 4 | direction << 3 | conn & 7]
        watched = self._watched[src] or self._watched[dst]
        rtt_us = self._links.base_rtt_us(src, dst)
        sent, number = now + trouble.lag_us(src, trace, now), -1
        if direction:
            trouble.answered(src, dst, conn, exchange)
        if src >= self._n_nodes or dst >= self._n_nodes:
            if conn & BACK:
                if not self._is_open(dst, src, conn ^ BACK, sent):
                    self._fail(src, dst, conn, exchange, "unreachable", sent, trace, note)
                    return
            elif not direction and not self._is_open(src, dst, conn, sent):
                takes_us, why = trouble.opening(src, dst, conn, sent, rtt_us, trace)
                if why:
                    self._fail(src, dst, conn, exchange, why, sent + takes_us - rtt_us // 2, trace, note)
                if why or takes_us == NEVER:
                    return
                sent += takes_us
            number, sent = self.client_connection(src, dst, conn, direction, sent, watched)
        self.transmissions += 1
        longer_us = trouble.passage_us(src, dst, sent, rtt_us, wire[1], trace)
        if meddler is not None and longer_us is not None:
            longer_us += meddler.passes(src, dst, direction, sent, rtt_us)
        arrived = -1 if longer_us is None else sent + longer_us + self._delay_us(src, dst, wire[0], trace)
        if watched:
            self._record(sent, arrived, src, number, wire, effect, note)
        if longer_us is not None:
            arrive = (ARRIVE, dst, src, conn, exchange, head, payload, trace, note)
            heappush(self._queue, (arrived, 1, next(self._ranks), *arrive))

    # --- where somebody interferes ------------------------------------------------------------------------

    def _meet(self, trouble: Trouble, meddler: Meddler, entry: Entry) -> None:
        """Give an entry to an operated node, when and if its operator wants that."""
        t_us = meddler.meets(entry)
        if t_us == entry[0]:
            self._admit(trouble, entry)
        elif t_us > entry[0]:
            self.at(t_us, partial(self._meet_again, trouble, meddler, entry))

    def _meet_again(self, trouble: Trouble, meddler: Meddler, entry: Entry, now: int) -> None:
        """Give a node what has waited, unless it has crashed meanwhile."""
        if not trouble.crashed[entry[4]]:
            meddler.resumes(entry[4], entry[5], now)
            self._admit(trouble, (now, *entry[1:]))

    def inject(self, src: int, effect: tuple[Any, ...], now: int, *, stores: str = "") -> None:
        """Let an operated node send what its machine knows nothing of. Args: stores: hash of a message."""
        trouble = self._trouble
        assert trouble is not None
        if not trouble.crashed[src]:
            if stores:
                self._journal.event(src, (EVENT, "injected", stores, len(effect[5])), now)
            self._send_in_trouble(trouble, src, now, effect, mix(self._addresses[src], effect[3]), effect[6])

    def _fail(
        self, src: int, dst: int, conn: int, exchange: int, reason: str, t_us: int, trace: int, note: int
    ) -> None:
        """Tell a requester that nobody answers there; the word takes half a round trip."""
        t_us += self._links.base_rtt_us(src, dst) // 2
        failed = (FAILED, src, dst, conn, exchange, reason, trace, note)
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

    def client_connection(
        self, src: int, dst: int, conn: int, direction: int, now: int, watched: int
    ) -> tuple[int, int]:
        """Open or reuse a client's connection. Returns its number and when this transmission may leave."""
        ours = direction == 0
        if conn & BACK:
            ours, conn = not ours, conn ^ BACK
        key = ((src << 24 | dst) if ours else (dst << 24 | src)) << 8 | conn
        state = self._conns.get(key)  # number, ready_us, last_used_us
        transport = conn & 7
        if ours and direction == 0:
            if state is None or now - state[2] > self._sizes.idle_limit_us(transport):
                state = self._conns[key] = [next(self._conn_ids) if watched else -1, 0, now]
                state[1] = self._shake_hands(src, dst, state[0], transport, now, watched)
            elif watched:
                self._keep_alive(src, dst, state, transport, now)
            ready = state[1] if state[1] > now else now
            state[2] = ready
            return state[0], ready
        if direction == 0 and watched and state is not None:
            self._keep_alive(dst, src, state, transport, now)
        if state is None:  # an answer to nothing: only a faulty machine does this
            state = self._conns[key] = [next(self._conn_ids) if watched else -1, 0, now]
        state[2] = now
        return state[0], now

    def _is_open(self, src: int, dst: int, conn: int, now: int) -> bool:
        """Say whether a client can use a connection without opening it anew."""
        state = self._conns.get((src << 24 | dst) << 8 | conn)
        return state is not None and now - state[2] <= self._sizes.idle_limit_us(conn & 7)

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
