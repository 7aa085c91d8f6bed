"""Onion exchanges that pass unseen relays at once: three events instead of eight.

A relay that nobody observes, that is ready and cannot fail only takes time. So where a whole route is like
that, a request goes from the client to the node that is asked in one step, and the answer back to the guard
in another, with the delays of all transmissions between drawn at the addresses they would have had
(`protocol.machine`). The step from the guard to the client is an event of its own, since it uses the
connection of the client. Times, connections and outcomes are those of carrying out each transmission
(tested); relays count none of these requests, so this is only used where their limits are far (Assumption:
no relay ever waits for `NodeRules.relays_max` answers, and no node takes as long as `relay_timeout_us`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappush
from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import mix
from sessionsim.network.connections import Connections
from sessionsim.network.kernels import ARRIVE, PASS, Entry, Kernel
from sessionsim.network.links import Links
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire.onion_sizes import answer_bytes, request_bytes
from sessionsim.protocol.wire.unsealed import UnsealedAnswer, UnsealedRequest

_OMQ: Final = int(Transport.OMQ)
# Opens or uses the connection of a client: who sends, to whom, handle, direction, when, watched, exchange.
# Gives its number, and when the transmission may leave.
Connect = Callable[[int, int, int, int, int, int, int], tuple[int, int]]


def unseen(machines: Sequence[Machine], watched: frozenset[int]) -> bytes:
    """Say by endpoint (1 or 0) which nodes and clients exchanges may pass, and have those clients use that.

    Args:
        machines: of the run.
        watched: endpoints all of whose links are recorded.
    """
    free = bytearray(len(machines))
    for endpoint, machine in enumerate(machines):
        if endpoint in watched:
            continue
        if isinstance(machine, ServiceNode):
            free[endpoint] = machine.is_ready and not machine.replies.multiple_bytes
        elif isinstance(machine, Client):
            requests = machine.requests
            free[endpoint] = requests.unsealed = not requests.multiple_bytes and machine.pacing is None
    return bytes(free)


class Passages:
    """The passages of one run.

    Args:
        unseen: by endpoint, whether transmissions may pass it; see `unseen`.
        kernel, links, sizes, families: as the host has them; the lines of nodes must have no limit.
        connections: of the host.
        horizon_us: end of the run.
    """

    def __init__(
        self,
        unseen: bytes,
        kernel: Kernel,
        links: Links,
        sizes: WireSizes,
        families: bytes,
        connections: Connections,
        horizon_us: int,
    ) -> None:
        self._unseen, self._kernel, self._families = unseen, kernel, families
        self._connect: Connect = connections.client
        self._arrives = connections.arrives
        self._delay_us, self._wire_table = links.delay_us, sizes.table
        self._horizon_us = horizon_us
        self.transmissions = 0  # that were not carried out

    def take(self, src: int, now: int, effect: tuple[Any, ...], trace: int, note: int) -> bytes | None:
        """Let an unsealed request or answer pass; or give its bytes, to be carried in the usual way."""
        payload = effect[5]
        if type(payload) is UnsealedAnswer:
            self._return(payload, now, trace, note)
            return None
        assert type(payload) is UnsealedRequest
        guard, middle, last, node = payload.nodes
        unseen = self._unseen
        if unseen[src] and unseen[guard] and unseen[middle] and unseen[last] and unseen[node]:
            self._pass(payload, src, now, effect, trace, note)
            return None
        return payload.seal()

    def _pass(
        self, request: UnsealedRequest, src: int, now: int, effect: tuple[Any, ...], trace: int, note: int
    ) -> None:
        _, _, conn, exchange, _, _, _ = effect
        guard, middle, last, node = request.nodes
        delay_us = self._delay_us
        wire = self._wire_table[
            request_bytes(request.style, len(request.body)) << 5 | self._families[src] << 4 | conn & 7
        ]
        _, t_us = self._connect(src, guard, conn, 0, now, 0, exchange)
        t_us += delay_us(src, guard, wire[0], trace)
        self.transmissions += 1
        for here, there in ((guard, middle), (middle, last), (last, node)):
            self.transmissions += t_us < self._horizon_us
            trace = mix(trace, 1)
            t_us += delay_us(here, there, 0, trace)
        request.client, request.conn, request.exchange = src, conn, exchange
        arrive = (ARRIVE, node, last, _OMQ, exchange, "sn.onion_request", request, trace, note)
        heappush(self._kernel.queue, (t_us, 1, next(self._kernel.ranks), *arrive))

    def _return(self, answer: UnsealedAnswer, now: int, trace: int, note: int) -> None:
        guard, middle, last, node = answer.request.nodes
        t_us = now + self._delay_us(node, last, 0, trace)
        self.transmissions += 1
        for here, there in ((last, middle), (middle, guard)):
            self.transmissions += t_us < self._horizon_us
            trace = mix(trace, 1)
            t_us += self._delay_us(here, there, 0, trace)
        passed = (PASS, guard, answer, mix(trace, 1), note)
        heappush(self._kernel.queue, (t_us, 1, next(self._kernel.ranks), *passed))

    def come_out(self, entry: Entry) -> None:
        """Let an answer leave its guard for the client."""
        now, _, _, _, guard, answer, trace, note = entry
        request = answer.request
        client, conn = request.client, request.conn
        size = answer_bytes(request.style, answer.status, answer.body)
        wire = self._wire_table[size << 5 | self._families[guard] << 4 | 1 << 3 | conn & 7]
        _, sent = self._connect(guard, client, conn, 1, now, 0, request.exchange)
        self.transmissions += 1
        arrived = sent + self._delay_us(guard, client, wire[0], trace)
        self._arrives(arrived)
        arrive = (ARRIVE, client, guard, conn, request.exchange, 200, answer, trace, note)
        heappush(self._kernel.queue, (arrived, 1, next(self._kernel.ranks), *arrive))
