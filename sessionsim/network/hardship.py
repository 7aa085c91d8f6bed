"""What a host does while something fails or somebody interferes.

A machine that has crashed takes nothing, one that hangs takes it later, and whoever sent it something learns
what it would notice (`faults.trouble`). Nodes and servers have room for so much work (`capacity`). An
operator of nodes meets what they get, and sends what they would not (`interference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from heapq import heappush
from typing import TYPE_CHECKING, Any

from sessionsim.core.seeds import mix
from sessionsim.network.capacity import Capacity
from sessionsim.network.faults.plan import Turn, What
from sessionsim.network.faults.trouble import NEVER, Trouble
from sessionsim.network.interference import Meddler
from sessionsim.network.kernels import ARRIVE, CALL, FAILED, TURN, WAKE, Entry
from sessionsim.network.links import Links
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.machine import BACK, EVENT

if TYPE_CHECKING:
    from sessionsim.network.host import Host


class Hardship:
    """What is in the way of one host's entries and transmissions.

    Args:
        host: carries out the rest.
        trouble: what fails and when.
        n_nodes, addresses, links, sizes, families: as the host has them.
    """

    def __init__(
        self,
        host: Host,
        trouble: Trouble,
        n_nodes: int,
        addresses: Sequence[int],
        links: Links,
        sizes: WireSizes,
        families: bytes,
    ) -> None:
        self._host, self.trouble, self._n_nodes, self._addresses = host, trouble, n_nodes, addresses
        self._links, self._families, self._wire_table = links, families, sizes.table
        self._queue, self._ranks = host.kernel.queue, host.kernel.ranks
        self._connections, self._watched, self._journal = host.connections, host.watched, host.journal

    def handle(self, entry: Entry) -> None:
        """Give an entry to its machine if that lives; otherwise let its sender know what it would notice."""
        trouble, now, kind, endpoint = self.trouble, entry[0], entry[3], entry[4]
        if kind == WAKE and entry[5] != self._host.wishes[endpoint]:
            return  # nobody's work: a later wish has taken its place
        if kind == TURN:
            self.turn(endpoint, now)
        elif kind == CALL:
            endpoint(now)
        elif trouble.crashed[endpoint]:
            trouble.miss(entry)
            if kind == ARRIVE and type(entry[8]) is str and trouble.refuses(endpoint, entry[6]):
                self._fail(entry[5], endpoint, entry[6], entry[7], "refused", now, entry[10], entry[11])
        elif trouble.hung_until_us[endpoint] > now:
            heappush(self._queue, (trouble.hung_until_us[endpoint], 1, next(self._ranks), *entry[3:]))
        elif trouble.meddler is not None and endpoint in trouble.meddler.nodes:
            self._meet(trouble.meddler, entry)
        else:
            self._admit(entry)

    def _admit(self, entry: Entry) -> None:
        """Give an entry to a machine that lives."""
        trouble = self.trouble
        if entry[3] == ARRIVE:
            trouble.asked(entry)
        if trouble.capacity is None or not trouble.capacity.works(entry[4]):
            self._host.handle(entry)
        else:
            self._work(trouble.capacity, entry)

    def _work(self, capacity: Capacity, entry: Entry) -> None:
        """Give an entry to who needs time for it, or drop a request for which there is no room."""
        now, kind, node = entry[0], entry[3], entry[4]
        size_bytes = len(entry[9]) if kind == ARRIVE else 0
        if kind == ARRIVE and type(entry[8]) is str and not capacity.admits(node, size_bytes, now):
            self._journal.event(node, (EVENT, "request dropped", -1, size_bytes), now)
            return
        capacity.begin(node, size_bytes)
        self._host.handle(entry)
        capacity.end(now)

    def turn(self, turn: Turn, now: int) -> None:
        """Carry out a change of what works."""
        trouble, endpoint = self.trouble, turn.endpoint
        for entry in trouble.turn(turn):
            heappush(self._queue, (now, 1, next(self._ranks), *entry))
        if turn.what == What.CRASHES:
            self._host.wishes[endpoint] += 1
            for src, conn, exchange, trace, note in trouble.cut_off(endpoint):
                self._fail(src, endpoint, conn, exchange, "refused", now, trace, note)
        if turn.what == What.STARTS or trouble.refuses(endpoint, 0):
            # Its peers learn at once, or with the next they send, that a connection is gone.
            kept = turn.what == What.CRASHES
            self._connections.drop(endpoint, but_quic=kept)

    def send(self, src: int, now: int, effect: tuple[Any, ...], trace: int, note: int) -> None:
        """Let a transmission leave, as the host does, through whatever is wrong with its way."""
        trouble = self.trouble
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
                if not self._connections.is_open(dst, src, conn ^ BACK, sent):
                    self._fail(src, dst, conn, exchange, "unreachable", sent, trace, note)
                    return
            elif not direction and not self._connections.is_open(src, dst, conn, sent):
                takes_us, why = trouble.opening(src, dst, conn, sent, rtt_us, trace)
                if why:
                    self._fail(src, dst, conn, exchange, why, sent + takes_us - rtt_us // 2, trace, note)
                if why or takes_us == NEVER:
                    return
                sent += takes_us
            number, sent = self._connections.client(src, dst, conn, direction, sent, watched, exchange)
        self._host.transmissions += 1
        longer_us = trouble.passage_us(src, dst, sent, rtt_us, wire[1], trace)
        if meddler is not None and longer_us is not None:
            longer_us += meddler.passes(src, dst, direction, sent, rtt_us)
        arrived = -1
        if longer_us is not None:
            arrived = sent + longer_us + self._links.delay_us(src, dst, wire[0], trace)
            if direction:
                self._connections.arrives(arrived)
        if watched:
            self._connections.record(sent, arrived, src, number, wire, effect, note)
        if longer_us is not None:
            arrive = (ARRIVE, dst, src, conn, exchange, head, payload, trace, note)
            heappush(self._queue, (arrived, 1, next(self._ranks), *arrive))

    def _meet(self, meddler: Meddler, entry: Entry) -> None:
        """Give an entry to an operated node, when and if its operator wants that."""
        t_us = meddler.meets(entry)
        if t_us == entry[0]:
            self._admit(entry)
        elif t_us > entry[0]:
            self._host.at(t_us, partial(self._meet_again, meddler, entry))

    def _meet_again(self, meddler: Meddler, entry: Entry, now: int) -> None:
        """Give a node what has waited, unless it has crashed meanwhile."""
        if not self.trouble.crashed[entry[4]]:
            meddler.resumes(entry[4], entry[5], now)
            self._admit((now, *entry[1:]))

    def inject(self, src: int, effect: tuple[Any, ...], now: int, stores: str) -> None:
        """Let an operated node send what its machine knows nothing of. Args: stores: hash of a message."""
        if not self.trouble.crashed[src]:
            if stores:
                self._journal.event(src, (EVENT, "injected", stores, len(effect[5])), now)
            self.send(src, now, effect, mix(self._addresses[src], effect[3]), effect[6])

    def opens_us(self, src: int, now: int, dst: int, conn: int, exchange: int, trace: int, note: int) -> int:
        """Give how long a client's opening of a connection is put off; NEVER if it fails."""
        trouble = self.trouble
        if self._connections.is_open(src, dst, conn, now):
            return 0
        rtt_us = self._links.base_rtt_us(src, dst)
        takes_us, why = trouble.opening(src, dst, conn, now, rtt_us, trace)
        if why:
            self._fail(src, dst, conn, exchange, why, now + takes_us - rtt_us // 2, trace, note)
            return NEVER
        return takes_us

    def _fail(
        self, src: int, dst: int, conn: int, exchange: int, reason: str, t_us: int, trace: int, note: int
    ) -> None:
        """Tell a requester that nobody answers there; the word takes half a round trip."""
        t_us += self._links.base_rtt_us(src, dst) // 2
        self._connections.give_up(src, dst, conn, exchange)
        failed = (FAILED, src, dst, conn, exchange, reason, trace, note)
        heappush(self._queue, (t_us, 1, next(self._ranks), *failed))
