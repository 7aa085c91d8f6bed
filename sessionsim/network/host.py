"""The host: carries transmissions between protocol machines and writes down what passes the watched links.

The host knows time, places and links; machines know the protocol. Nothing about Session's behaviour may
live here. Two kernels drive the same host, see `kernels`.

Speed (see `docs/adr/0002-simpy-queue.md`): flat tuples and one shared callback, pushed into simpy's queue.
Faults and interference (`hardship`) are looked at only if there are any; then entries and transmissions take
a longer way. Connections and the rows of watched links are in `connections`.

Each transmission has a 64-bit draw address (`protocol.machine`); its delay is a function of that address,
its ends and its size alone. Node-to-node connections are taken as warm, since nodes test each other all the
time (Assumption; transport 5.11). Client connections open with a handshake, and again after an idle time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Any, Protocol

from sessionsim.core.columns import (
    SIDE,
    Transport,
    note_outside,
    note_within,
)
from sessionsim.core.records import RecordSink
from sessionsim.core.seeds import GOLDEN, MASK64, MIX1, MIX2, mix
from sessionsim.network.connections import Connections
from sessionsim.network.faults.trouble import NEVER, Trouble
from sessionsim.network.hardship import Hardship
from sessionsim.network.kernels import (
    ARRIVE,
    CALL,
    COMMAND,
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
        clients: endpoints whose HTTPS connections carry one request at a time.
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
        clients: range = range(0),
    ) -> None:
        self.machines = machines
        self.kernel, self.journal = kernel, journal
        self._queue, self._ranks, self._later = kernel.queue, kernel.ranks, kernel.later
        self._n_nodes, self._addresses = n_nodes, addresses
        self._links, self._families = links, families
        self._delay_us, self._wire_table = links.delay_us, sizes.table
        self.watched = bytearray(len(machines))
        if sink is not None:
            for endpoint in watched:
                self.watched[endpoint] = 1
        self.wishes = [0] * len(machines)
        self.connections = Connections(links, sizes, sink, keep_bytes, clients)
        self._connection, self._record = self.connections.client, self.connections.record
        self._hardship: Hardship | None = None
        self._carrier = self.handle
        if trouble is not None:
            self._hardship = Hardship(self, trouble, n_nodes, addresses, links, sizes, families)
            self._carrier = self._hardship.handle
        self._handler = self._carrier
        self.transmissions = 0
        self._trains: Trains | None = None
        self._passages: Passages | None = None

    @property
    def trouble(self) -> Trouble | None:
        """What fails and when; None if nothing does."""
        return None if self._hardship is None else self._hardship.trouble

    def let_pass(self, passages: Passages) -> None:
        """Take unsealed requests from machines, and let them pass relays at once. Called before `start`."""
        self._passages = passages

    def ride(self, trains: Trains) -> None:
        """Let clients sleep through idle polls. Called before `start`."""
        self._trains, self._handler = trains, self._handle_beside_trains

    def start(self) -> None:
        """Start every machine at time 0, in endpoint order."""
        if self._hardship is not None:
            for turn in self._hardship.trouble.plan.turns:
                if turn.t_us:
                    heappush(self._queue, (turn.t_us, 1, next(self._ranks), TURN, turn))
                else:
                    self._hardship.turn(turn, 0)
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

    def handle(self, entry: Entry) -> None:
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
            if wish != self.wishes[src]:
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
            if self._hardship is not None:
                self._hardship.send(src, now, effect, trace, own_note)
                continue
            self.transmissions += 1
            direction = 0 if type(head) is str else 1
            wire = self._wire_table[len(payload) << 5 | self._families[src] << 4 | direction << 3 | conn & 7]
            watched = self.watched[src] or self.watched[dst]
            sent, number = now, -1
            if src >= n_nodes or dst >= n_nodes:
                number, sent = self._connection(src, dst, conn, direction, now, watched, exchange)
                arrived = sent + self._delay_us(src, dst, wire[0], trace)
                if direction:
                    self.connections.arrives(arrived)
            else:
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
            self.wishes[src] = wish = self.wishes[src] + 1
            t_us = effect[1] if effect[1] > now else now
            if self._trains is not None:
                self._trains.wait(src)
            self._later((t_us, 1, next(self._ranks), WAKE, src, wish))
        elif effect[0] == DELIVER:
            self.journal.deliver(src, effect, now)
        elif effect[0] == LOG:
            self.journal.log(src, effect, now)
        elif effect[0] == EVENT:
            self.journal.event(src, effect, now)
        elif effect[0] == CONNECT:
            self._connect(src, now, *effect[1:])
        elif effect[0] == CLOSE:
            _, dst, conn, *exchange = effect
            if exchange:
                self.connections.give_up(src, dst, conn, exchange[0])
            else:
                self.connections.close(src, dst, conn, now, self.watched[src] or self.watched[dst])

    def _connect(self, src: int, now: int, dst: int, conn: int, exchange: int, note: int) -> None:
        """Open a client's connection, and tell it when it is open, or that it cannot be."""
        sent, trace = now, mix(self._addresses[src], exchange)
        if self._hardship is not None:
            takes_us = self._hardship.opens_us(src, now, dst, conn, exchange, trace, note)
            if takes_us == NEVER:
                return
            sent += takes_us
        _number, ready = self._connection(src, dst, conn, 0, sent, self.watched[src] or self.watched[dst])
        opened = (ARRIVE, src, dst, conn, exchange, CONNECTED, b"", trace, note)
        heappush(self._queue, (ready, 1, next(self._ranks), *opened))

    def inject(self, src: int, effect: tuple[Any, ...], now: int, *, stores: str = "") -> None:
        """Let an operated node send what its machine knows nothing of. Args: stores: hash of a message."""
        assert self._hardship is not None
        self._hardship.inject(src, effect, now, stores)

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
            if entry[5] != self.wishes[endpoint]:
                return
            if endpoint in trains.running and not trains.end(endpoint, now):
                return
            if trains.goes_on(endpoint, now):
                return
        elif kind == ARRIVE and trains.is_beside(endpoint, entry[7], entry[9]):
            self._carrier(entry)
            trains.goes_on_beside(endpoint)
            return
        elif kind != CALL and endpoint in trains.running:
            trains.catch_up(endpoint, now)
        trains.now_us = now  # catching up carries out what lies in the past
        self._carrier(entry)

    def wake_at(self, endpoint: int, t_us: int) -> None:
        """Wake a machine then, and not before if nothing else happens to it."""
        self.wishes[endpoint] = wish = self.wishes[endpoint] + 1
        heappush(self._queue, (t_us, 1, next(self._ranks), WAKE, endpoint, wish))

    def emit(self, endpoint: int, effects: Effects, now: int) -> None:
        """Carry out what a client wants that was asked for it beside its train."""
        for effect in effects:
            self._carrier((now, 1, next(self._ranks), LATE, endpoint, effect, -1, 0))

    def rewind(self, endpoint: int, t_us: int, now: int) -> None:
        """Wake a client at a time that may be past, and carry out what would have come of it by now."""
        self.wake_at(endpoint, t_us)
        queue, later = self._queue, self._later
        self._later = partial(heappush, queue)  # what lies in the past is looked for here alone
        while queue and queue[0][0] < now:
            self._handler(heappop(queue))
        self._later = later

    def afflicted(self, now: int) -> frozenset[int] | None:
        """Give the endpoints with which something is wrong, or None if all may be struck."""
        return _NOBODY if self._hardship is None else self._hardship.trouble.afflicted(now)
