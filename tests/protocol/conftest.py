"""A small network of service nodes on a heap, for tests of the service node."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

import pytest

from sessionsim.core.columns import Transport
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import KeyPair, real, suite_named
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.machine import SEND, WAKE_AT, Effects
from sessionsim.protocol.node_rules import VERSION_2_8, NodeRules
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire.onion import DESKTOP, Hop, Style, build_request, open_answer

CLIENT = 1000
HTTPS, QUIC, OMQ = int(Transport.HTTPS), int(Transport.QUIC), int(Transport.OMQ)


def digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


class Person:
    """An account that can sign. `endpoint` is where it sits."""

    def __init__(self, name: str) -> None:
        self.ed = real.ed25519_keypair(digest(name))
        self.id = b"\x05" + real.x25519_of_ed25519(self.ed).public
        self.id_hex, self.ed_hex = self.id.hex(), self.ed.public.hex()


class Crowd(Person):
    """A group: its id is its Ed25519 key."""

    def __init__(self, name: str) -> None:
        self.ed = real.ed25519_keypair(digest(name))
        self.id = b"\x03" + self.ed.public
        self.id_hex, self.ed_hex = self.id.hex(), None


class SwarmWorld:
    """Twelve nodes in two swarms, 7 and 5, every transmission 10 ms. Time in µs, epoch 1.777e12 ms.

    Nodes in `old` are of version 2.8.
    """

    epoch_ms = 1_777_000_000_000
    latency_us = 10_000

    def __init__(
        self,
        rules: dict[str, Any],
        suite: str,
        swarms: Sequence[int],
        servers: Mapping[str, int] | None = None,
        old: Sequence[int] = (),
    ) -> None:
        count = len(swarms)
        self.ed = [real.ed25519_keypair(digest(f"node {i}")) for i in range(count)]
        self.x: list[KeyPair] = [real.x25519_of_ed25519(pair) for pair in self.ed]
        self.nodes = self.nodes_with(swarms)
        self.suite, self.rules = suite_named(suite), NodeRules(**rules)
        self.machines = [
            ServiceNode(
                i,
                self.ed[i],
                self.x[i],
                self.nodes,
                self.suite,
                Entropy(digest(f"entropy {i}")),
                NodeRules(**(dict(VERSION_2_8) | rules)) if i in old else self.rules,
                self.epoch_ms,
                servers,
            )
            for i in range(count)
        ]
        self.now_us = 1_000_000
        self.silent: set[int] = set()  # nodes that never answer
        self.unreachable: set[int] = set()  # nodes the transport cannot reach
        self.slow_us: dict[int, int] = {}  # how much longer a node's answers take
        self.log: list[tuple[int, int, int, str | int, bytes, int]] = []  # t, src, dst, head, payload, note
        self.answers: list[tuple[int, int, int, bytes, int]] = []  # src, exchange, status, payload, t
        self.wakes = 0
        self._queue: list[tuple[int, int, str, tuple[Any, ...]]] = []
        self._wake: dict[int, int] = {}
        self._count = 0

    @property
    def now_ms(self) -> int:
        return self.epoch_ms + self.now_us // 1000

    def nodes_with(self, swarms: Sequence[int]) -> NodeList:
        """Give the list of the same nodes in other swarms."""
        count = len(swarms)
        return NodeList(
            tuple(pair.public for pair in self.ed),
            tuple(pair.public for pair in self.x),
            tuple(swarms),
            tuple(0xF4000001 + 256 * i for i in range(count)),
            tuple(22021 if i % 2 else 22103 for i in range(count)),
        )

    def person(self, swarm: int) -> Person:
        """Give an account whose swarm it is."""
        ids = tuple(self.nodes.members)
        people = (Person(f"person {i}") for i in range(1000))
        return next(p for p in people if nearest_swarm(swarm_position(p.id[1:]), ids) == swarm)

    def group(self, swarm: int) -> Crowd:
        """Give a group whose swarm it is."""
        ids = tuple(self.nodes.members)
        crowds = (Crowd(f"group {i}") for i in range(1000))
        return next(g for g in crowds if nearest_swarm(swarm_position(g.id[1:]), ids) == swarm)

    def tell(self, node: int, *command: Any) -> None:
        """Give a node a command."""
        self._do(node, self.machines[node].command(command, self.now_us))

    def put(
        self, dst: int, conn: int, exchange: int, head: str | int, payload: bytes, src: int = CLIENT
    ) -> None:
        """Send something into the network."""
        self._later(self.latency_us, "arrive", (dst, src, conn, exchange, head, payload))

    def run(self, for_us: int = 60_000_000, answers: int = 1 << 30) -> None:
        """Let time pass until nothing is left to happen or so many answers have come, at most so long."""
        end = self.now_us + for_us
        while self._queue and self._queue[0][0] <= end and len(self.answers) < answers:
            self.now_us, _order, what, args = heappop(self._queue)
            if what == "arrive":
                dst, *rest = args
                if dst < len(self.machines):
                    self._do(dst, self.machines[dst].receive(*rest, self.now_us))
                elif rest[3] not in ("notify", "monitor_ended"):  # these stand in the log only
                    src, _conn, exchange, status, payload = rest
                    self.answers.append((src, exchange, status, payload, self.now_us))
            elif what == "failed":
                src, *rest = args
                self._do(src, self.machines[src].failed(*rest, self.now_us))
            elif self._wake.get(args[0]) == self.now_us:
                del self._wake[args[0]]
                self.wakes += 1
                self._do(args[0], self.machines[args[0]].wake(self.now_us))

    def _later(self, delay_us: int, what: str, args: tuple[Any, ...]) -> None:
        self._count += 1
        heappush(self._queue, (self.now_us + delay_us, self._count, what, args))

    def _do(self, src: int, effects: Effects) -> None:
        for effect in effects:
            if effect[0] == WAKE_AT:
                self._wake[src] = effect[1]
                self._later(effect[1] - self.now_us, "wake", (src,))
                continue
            assert effect[0] == SEND
            _kind, dst, conn, exchange, head, payload, note = effect
            assert type(payload) is bytes
            self.log.append((self.now_us, src, dst, head, payload, note))
            if src in self.silent and type(head) is int:
                continue
            if dst in self.unreachable:
                self._later(2 * self.latency_us, "failed", (src, dst, conn, exchange, "unreachable"))
            else:
                late_us = self.slow_us.get(src, 0) if type(head) is int else 0
                self._later(self.latency_us + late_us, "arrive", (dst, src, conn, exchange, head, payload))

    def onion(
        self, route: Sequence[int], body: bytes, style: Style = DESKTOP, name: str = "r"
    ) -> tuple[bytes, Layer]:
        """Build an onion request for a route."""
        hops = [Hop(self.ed[i].public.hex().encode(), self.x[i].public) for i in route]
        return build_request(
            self.suite, style, hops, body, [digest(f"{name} {i}") * 2 for i in range(len(route))]
        )

    def ask(
        self, route: Sequence[int], body: bytes, style: Style = DESKTOP, conn: int = HTTPS, name: str = "r"
    ) -> tuple[int, int, bytes]:
        """Send an onion request: outer status, inner status (0 if not sealed), body."""
        payload, layer = self.onion(route, body, style, name)
        self.answers.clear()
        self.put(route[0], conn, 77, "onion_req", payload)
        self.run(answers=1)
        ((src, exchange, status, answer, _t),) = self.answers
        assert (src, exchange) == (route[0], 77)
        return (status, *open_answer(layer, answer)) if status == 200 else (status, 0, answer)

    def direct(self, node: int, body: bytes, conn: int = HTTPS) -> tuple[int, bytes]:
        """Send storage RPC without an onion."""
        self.answers.clear()
        self.put(node, conn, 78, "storage_rpc", body)
        self.run(answers=1)
        ((_src, _exchange, status, answer, _t),) = self.answers
        return status, answer


MakeWorld = Callable[..., SwarmWorld]


@pytest.fixture(scope="session")
def make_world() -> MakeWorld:
    def make(
        *,
        suite: str = "fast",
        swarms: Sequence[int] = (0,) * 7 + (1 << 63,) * 5,
        servers: Mapping[str, int] | None = None,
        old: Sequence[int] = (),
        **rules: Any,
    ) -> SwarmWorld:
        return SwarmWorld(rules, suite, swarms, servers, old)

    return make
