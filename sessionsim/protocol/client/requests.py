"""Requests of one client over its onion paths: build, remember, match the answer, give up in time.

An exchange number says what it is for (low four bits, `Purpose`) and which of its kind it is, so that its
draws and the host's never depend on unrelated requests. Deadlines are a heap cleaned from the top: a
request that was answered costs no wake-up of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final

from sessionsim.core.columns import Transport
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.paths import Path, build_paths, number_at
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.wire.onion import LAYER_RANDOM_BYTES as _R
from sessionsim.protocol.wire.onion import STYLES, Hop, build_request, open_answer
from sessionsim.protocol.wire.onion_answer import answer_layers, open_server_answer
from sessionsim.protocol.wire.onion_server import ServerAddress, build_server_request

SERVER: Final = -1
_CONNECTION = {"https": int(Transport.HTTPS), "quic": int(Transport.QUIC)}


class Purpose(IntEnum):
    """What an exchange is for; the low four bits of its number."""

    POLL = 0
    SEND = 1
    SYNC = 2
    LOOKUP = 3
    NODE_LIST = 4  # refreshing the pool of known nodes
    GUARD_TEST = 5
    PATH_TEST = 6
    CLOCK = 7
    SIGNAL = 8  # messages beside texts: typing, receipts, reactions, deletions, calls
    CONFIG = 9
    GROUP = 10
    GROUP_POLL = 11
    FILE = 12
    PUSH = 13
    COMMUNITY = 14
    KEYS = 15  # account keys and device groups of version 2


class Request:
    """One request under way. `done(status, body, now_us)` takes the answer; status 0 means none came.

    `node` is SERVER for a request to a server; then `layers` are those its answer may come under.
    """

    __slots__ = ("deadline_us", "done", "layer", "layers", "node", "path")

    def __init__(
        self, layer: Layer, path: int, node: int, deadline_us: int, done: Callable[..., list[Effect]]
    ) -> None:
        self.layer, self.path, self.node = layer, path, node
        self.deadline_us, self.done = deadline_us, done
        self.layers: tuple[Layer, ...] = ()

    def open(self, payload: bytes) -> tuple[int, bytes]:
        """Open the answer: status and body. Raises CannotOpen or RemoteProtocolError."""
        if self.node != SERVER:
            return open_answer(self.layer, payload)
        answer = open_server_answer(self.layers, payload)
        return answer.status, answer.body


class Requests:
    """The onion side of a client.

    Args:
        nodes: the node list the client holds.
        hops: route entries of all nodes, by node number; shared between clients.
        rules: its platform.
        suite, entropy: cryptography and addressed chance.
    """

    def __init__(
        self, nodes: NodeList, hops: tuple[Hop, ...], rules: ClientRules, suite: Suite, entropy: Entropy
    ) -> None:
        self._hops, self._suite, self._entropy, self._rules = hops, suite, entropy, rules
        self.paths: tuple[Path, ...] = build_paths(nodes, rules, entropy)
        self._every_path = list(range(len(self.paths)))
        self._on_paths = frozenset(node for path in self.paths for node in path)
        self._style = STYLES[rules.style]
        self._connection = _CONNECTION[rules.transport]
        self._busy = [0] * len(self.paths)
        self._pending: dict[int, Request] = {}
        self._deadlines: list[tuple[int, int]] = []
        # When made, and the ephemeral pairs of all requests; only when somebody owns this device (World.run).
        self.kept_pairs: list[tuple[int, KeyPair]] | None = None

    def __len__(self) -> int:
        return len(self._pending)

    def send(
        self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Callable[..., list[Effect]]
    ) -> Effect:
        """Start a request to a node; the effect to return. `done` gets what comes of it."""
        address = exchange.to_bytes(8, "little")
        path = self._choose_path(node, address)
        guard, middle, last = self.paths[path]
        hops = self._hops
        random = self._entropy.expand(b"onion" + address, 4 * _R)
        randoms = (random[:_R], random[_R : 2 * _R], random[2 * _R : 3 * _R], random[3 * _R :])
        route = (hops[guard], hops[middle], hops[last], hops[node])
        payload, layer = build_request(self._suite, self._style, route, body, randoms)
        if self.kept_pairs is not None:
            self.kept_pairs.extend((now_us, self._suite.ephemeral(own[:32])) for own in randoms)
        self._begin(exchange, Request(layer, path, node, now_us + self._rules.request_timeout_us, done))
        return (SEND, guard, self._connection, exchange, "onion_req", payload, note)

    def send_to_server(
        self,
        exchange: int,
        server: ServerAddress,
        payload: bytes,
        note: int,
        now_us: int,
        done: Callable[..., list[Effect]],
        timeout_us: int = 0,
        files: bool = False,
    ) -> Effect:
        """Start a v4 request to a server; the effect to return. `done` gets code and body of the answer.

        Args:
            payload: see `v4.encode_request`.
            timeout_us: other than usual; 0 for the usual one.
            files: over a path for files, where the client has such.
        """
        address = exchange.to_bytes(8, "little")
        path = self._choose_path(SERVER, address)
        route = tuple(self._hops[node] for node in self.paths[path])
        random = self._entropy.expand(b"onion" + address, 4 * _R)
        randoms = [random[k * _R : (k + 1) * _R] for k in range(4)]
        frame, layer = build_server_request(self._suite, self._style, route, server, payload, randoms)
        if self.kept_pairs is not None:
            self.kept_pairs.extend((now_us, self._suite.ephemeral(own[:32])) for own in randoms)
        deadline_us = now_us + (timeout_us or self._rules.request_timeout_us)
        request = Request(layer, path, SERVER, deadline_us, done)
        request.layers = answer_layers(self._suite, layer, randoms[-1][:32], server.x25519)
        self._begin(exchange, request)
        return (SEND, self.paths[path][0], self._connection, exchange, "onion_req", frame, note)

    def _begin(self, exchange: int, request: Request) -> None:
        self._pending[exchange] = request
        self._busy[request.path] += 1
        heappush(self._deadlines, (request.deadline_us, exchange))

    def _choose_path(self, node: int, address: bytes) -> int:
        usable = self._every_path
        if self._rules.exclude_destination and node in self._on_paths:
            usable = [p for p, path in enumerate(self.paths) if node not in path] or usable
        if self._rules.path_choice == "least-busy":
            fewest = min(self._busy[p] for p in usable)
            usable = [p for p in usable if self._busy[p] == fewest]
        if len(usable) == 1:
            return usable[0]
        return usable[number_at(self._entropy, b"choose path" + address, len(usable))]

    def take(self, src: int, conn: int, exchange: int) -> Request | None:
        """Take the request an answer belongs to, if it was asked of that guard and is still awaited."""
        request = self._pending.get(exchange)
        if request is None or conn != self._connection or src != self.paths[request.path][0]:
            return None
        return self._finish(exchange)

    def _finish(self, exchange: int) -> Request:
        request = self._pending.pop(exchange)
        self._busy[request.path] -= 1
        return request

    def overdue(self, now_us: int) -> list[Request]:
        """Take all requests whose deadline has come, in order of deadline."""
        late = []
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now_us:
            _deadline, exchange = heappop(deadlines)
            if exchange in self._pending:
                late.append(self._finish(exchange))
        return late

    def next_deadline_us(self) -> int | None:
        """Give the earliest deadline still awaited."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][1] not in self._pending:
            heappop(deadlines)
        return deadlines[0][0] if deadlines else None
