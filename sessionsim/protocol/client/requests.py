"""Requests of one client over its onion paths: build, remember, match the answer, give up in time.

An exchange number says what it is for (low four bits, `Purpose`), which of its kind it is, and above
`REPEAT_SHIFT` which repetition, so that its draws and the host's never depend on unrelated requests.
Deadlines are a heap cleaned from the top: a request that was answered costs no wake-up of its own.

A request that finds no path waits until one is built; one that is made while the client is offline or asleep
waits until it is awake. `send` then gives `HELD`, which the machine takes out of the effects; what goes out
beside the effects of a call lies in `aside`. `stirred` says that there is either, or that something has
changed about paths and node list, so that the machine asks their keepers when they want to be woken.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from typing import Final, NamedTuple

from sessionsim.core.columns import Transport
from sessionsim.core.errors import ProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.exchanges import HELD, REPEAT_SHIFT, SERVER, Done, Purpose, Request
from sessionsim.protocol.client.path_keeper import Nodes, OnionPath, PathKeeper
from sessionsim.protocol.client.pool import Pool, directory_of, listing_of
from sessionsim.protocol.client.reactions import (
    BLAMELESS,
    TABLES,
    Failure,
    failure_of,
    strikes_destination,
)
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.machine import CONNECT, SEND, Effect
from sessionsim.protocol.wire.onion import LAYER_RANDOM_BYTES as _R
from sessionsim.protocol.wire.onion import STYLES, Hop, build_request
from sessionsim.protocol.wire.onion_answer import (
    Refusal,
    answer_layers,
    read_refusal,
    split_quic_error,
)
from sessionsim.protocol.wire.onion_server import ServerAddress, build_server_request

_CONNECTION: Final = {"https": int(Transport.HTTPS), "quic": int(Transport.QUIC)}
_QUIC: Final = int(Transport.QUIC)
_LOW: Final = (1 << REPEAT_SHIFT) - 1


__all__ = ["HELD", "SERVER", "Purpose", "Request", "Requests"]


class _Repeat(NamedTuple):
    """A request to be repeated. Args: number: exchange number of the repetition, which also orders them."""

    due_us: int
    number: int
    again: Callable[..., Effect]
    done: Done


class Requests:
    """The onion side of a client.

    Args:
        nodes: the node list of the world: who stands where, under which key.
        hops: route entries of all nodes, by node number; shared between clients.
        rules: its platform.
        suite, entropy: cryptography and addressed chance.
    """

    def __init__(
        self, nodes: NodeList, hops: tuple[Hop, ...], rules: ClientRules, suite: Suite, entropy: Entropy
    ) -> None:
        self._nodes, self._hops, self._suite, self._entropy, self._rules = nodes, hops, suite, entropy, rules
        self.pool = Pool(None if rules.first_start and not rules.ships_list else listing_of(nodes))
        self.keeper = PathKeeper(nodes, self.pool, rules, entropy)
        self.keeper.changed = self.stir
        self._style, self._table = STYLES[rules.style], TABLES[rules.reactions]
        self.connection = _CONNECTION[rules.transport]
        self._pending: dict[int, Request] = {}
        self._deadlines: list[tuple[int, int]] = []
        self._held: dict[int, Callable[[int], Effect]] = {}
        self._repeats: list[_Repeat] = []
        self.shut = False  # offline or asleep: nothing goes out
        self.aside: list[Effect] = []
        self.stirred = False
        # Told of each use of a path, and of each choice of nodes, where upkeep is begun by that.
        self.on_use: Callable[[int], None] | None = None
        self.on_choice: Callable[[int], None] | None = None
        # When made, and the ephemeral pairs of all requests; only when somebody owns this device (World.run).
        self.kept_pairs: list[tuple[int, KeyPair]] | None = None

    def __len__(self) -> int:
        return len(self._pending) + len(self._repeats)

    @property
    def paths(self) -> tuple[Nodes, ...]:
        """The nodes of each path in use."""
        return tuple(path.nodes for path in self.keeper.all)

    # --- going out ----------------------------------------------------------------------------------------

    def send(
        self,
        exchange: int,
        node: int,
        body: bytes,
        note: int,
        now_us: int,
        done: Done,
        path: OnionPath | None = None,
        timeout_us: int = 0,
        repeats: int = 0,
    ) -> Effect:
        """Start a request to a node; the effect to return. `done` gets what comes of it.

        Args:
            path: over this path, which is being tested: a failure costs nothing, and is not repeated.
            timeout_us: other than usual; 0 for the usual one.
            repeats: how often the client has repeated it by itself.
        """
        address = exchange.to_bytes(8, "little")
        given = path
        if path is None:
            if self.shut or self.on_use is not None:
                path = self._path_for(node, address, now_us)
            else:
                path = self.keeper.choose(node, address)
        if path is None:
            return self.hold(
                exchange, now_us, done,
                lambda t_us: self.send(exchange, node, body, note, t_us, done, given, timeout_us, repeats),
            )  # fmt: skip
        guard, middle, last = path.nodes
        hops = self._hops
        random = self._entropy.expand(b"onion" + address, 4 * _R)
        randoms = (random[:_R], random[_R : 2 * _R], random[2 * _R : 3 * _R], random[3 * _R :])
        route = (hops[guard], hops[middle], hops[last], hops[node])
        payload, layer = build_request(self._suite, self._style, route, body, randoms)
        if self.kept_pairs is not None:
            self.kept_pairs.extend((now_us, self._suite.ephemeral(own[:32])) for own in randoms)
        deadline_us = now_us + (timeout_us or self._rules.request_timeout_us)
        request = Request(layer, path, guard, self.connection, node, deadline_us, done)
        if given is None and self._rules.repeats > repeats:
            request.repeats = repeats + 1
            request.again = lambda number, t_us: self.send(
                number, node, body, note, t_us, done, None, timeout_us, repeats + 1
            )
        self._begin(exchange, request)
        return (SEND, guard, self.connection, exchange, "onion_req", payload, note)

    def send_to_server(
        self,
        exchange: int,
        server: ServerAddress,
        payload: bytes,
        note: int,
        now_us: int,
        done: Done,
        timeout_us: int = 0,
        files: bool = False,
        repeats: int = 0,
    ) -> Effect:
        """Start a v4 request to a server; the effect to return. `done` gets code and body of the answer.

        Args:
            payload: see `v4.encode_request`.
            timeout_us: other than usual; 0 for the usual one.
            files: over a path for files, where the client has such.
            repeats: how often the client has repeated it by itself.
        """
        address = exchange.to_bytes(8, "little")
        path = self._path_for(SERVER, address, now_us, files)
        if path is None:
            return self.hold(
                exchange, now_us, done,
                lambda t_us: self.send_to_server(
                    exchange, server, payload, note, t_us, done, timeout_us, files, repeats
                ),
            )  # fmt: skip
        route = tuple(self._hops[node] for node in path.nodes)
        random = self._entropy.expand(b"onion" + address, 4 * _R)
        randoms = [random[k * _R : (k + 1) * _R] for k in range(4)]
        frame, layer = build_server_request(self._suite, self._style, route, server, payload, randoms)
        if self.kept_pairs is not None:
            self.kept_pairs.extend((now_us, self._suite.ephemeral(own[:32])) for own in randoms)
        deadline_us = now_us + (timeout_us or self._rules.request_timeout_us)
        request = Request(layer, path, path.nodes[0], self.connection, SERVER, deadline_us, done)
        request.layers = answer_layers(self._suite, layer, randoms[-1][:32], server.x25519)
        if self._rules.repeats > repeats:
            request.repeats = repeats + 1
            request.again = lambda number, t_us: self.send_to_server(
                number, server, payload, note, t_us, done, timeout_us, files, repeats + 1
            )
        self._begin(exchange, request)
        return (SEND, path.nodes[0], self.connection, exchange, "onion_req", frame, note)

    def ask_directly(
        self,
        exchange: int,
        endpoint: int,
        head: str,
        payload: bytes,
        note: int,
        now_us: int,
        timeout_us: int,
        done: Done,
        connection: int | None = None,
    ) -> Effect:
        """Start a request without an onion, as its receiver and everybody on the way can see.

        `done` gets the status and the bytes of the answer as they are. Not to be used while `shut`.
        """
        conn = self.connection if connection is None else connection
        self._begin(exchange, Request(None, None, endpoint, conn, endpoint, now_us + timeout_us, done))
        return (SEND, endpoint, conn, exchange, head, payload, note)

    def connect(
        self, exchange: int, endpoint: int, note: int, now_us: int, timeout_us: int, done: Done
    ) -> Effect:
        """Open a connection and nothing more; `done` gets status CONNECTED, or 0."""
        conn = self.connection
        self._begin(exchange, Request(None, None, endpoint, conn, endpoint, now_us + timeout_us, done))
        return (CONNECT, endpoint, conn, exchange, note)

    def is_quiet(self) -> bool:
        """Say whether nothing is under way, waits or is kept, and requests may go out."""
        return not (
            self._pending or self._repeats or self.shut or self.stirred or self.kept_pairs is not None
        )

    def _path_for(self, node: int, address: bytes, now_us: int, files: bool = False) -> OnionPath | None:
        if self.shut:
            return None
        if self.on_use is not None:
            self.on_use(now_us)
        return self.keeper.choose(node, address, files)

    def _begin(self, exchange: int, request: Request) -> None:
        self._pending[exchange] = request
        if request.path is not None:
            request.path.busy += 1
        heappush(self._deadlines, (request.deadline_us, exchange))

    # --- waiting ------------------------------------------------------------------------------------------

    def hold(self, exchange: int, now_us: int, done: Done, go: Callable[[int], Effect]) -> Effect:
        """Let a request wait for a path, as long as it may take at all."""
        self._held[exchange] = go
        deadline_us = now_us + self._rules.request_timeout_us
        self._begin(exchange, Request(None, None, SERVER, SERVER, SERVER, deadline_us, done))
        self.stirred = True
        if not self.shut:
            assert self.keeper.builder is not None
            self.keeper.builder.build(now_us)
        return HELD

    def let_go(self, now_us: int) -> None:
        """Send what waits, now that there are paths; what finds none waits on."""
        held, self._held = self._held, {}
        for exchange, go in held.items():
            del self._pending[exchange]
            self.put_aside(go(now_us))

    def fail_held(self, now_us: int) -> None:
        """Give up what waits, since no path could be built."""
        held, self._held = self._held, {}
        for exchange in held:
            self.put_aside(*self._pending.pop(exchange).done(0, b"", now_us))

    def stir(self) -> None:
        """Have the machine look at what has changed."""
        self.stirred = True

    def put_aside(self, *effects: Effect) -> None:
        """Have effects go out beside those of the call that is under way."""
        self.aside += effects
        self.stirred = True

    def settled(self, effects: list[Effect]) -> list[Effect]:
        """Give the effects of a call without what is held, and with what lies aside."""
        kept = [effect for effect in (*effects, *self.aside) if effect is not HELD]
        self.aside.clear()
        self.stirred = False
        return kept

    def cut(self, now_us: int) -> list[Effect]:
        """End everything under way, since the client goes offline or to sleep; nobody is blamed for it."""
        self.shut = True
        effects: list[Effect] = []
        for exchange in list(self._pending):
            if exchange not in self._held and exchange in self._pending:
                effects += self._finish(exchange).done(0, b"", now_us)
        while self._repeats:
            effects += heappop(self._repeats).done(0, b"", now_us)
        return effects

    # --- what comes of it ---------------------------------------------------------------------------------

    def take(self, src: int, conn: int, exchange: int) -> Request | None:
        """Take the request an answer belongs to, if it was asked there and is still awaited."""
        request = self._pending.get(exchange)
        if request is None or conn != request.conn or src != request.first:
            return None
        return self._finish(exchange)

    def receive(
        self, src: int, conn: int, exchange: int, head: int, payload: bytes, now_us: int
    ) -> list[Effect] | None:
        """Take an answer: what comes of it, or None if nothing like it is awaited."""
        request = self.take(src, conn, exchange)
        if request is None:
            return None
        if request.path is None:
            return request.done(head, payload, now_us)
        if head == 200:
            try:
                status, body = request.open(payload)
            except (ProtocolError, TypeError):  # TypeError: nested deeper than orjson can write it down
                status, body = 0, b""
            if status != 200 and request.node != SERVER and self._blames(status):
                self.keeper.strike(request.node, now_us)
            return request.done(status, body, now_us)
        if head in BLAMELESS:
            return request.done(head, b"", now_us)
        # What a node on the path says of itself is no answer of the node that was asked.
        refusal = self._refusal(conn, head, payload)
        destination = self._hops[request.node].ed25519_hex.decode() if request.node != SERVER else ""
        named = directory_of(self._nodes).get(bytes.fromhex(refusal.node)) if refusal.node else None
        return self._fail(exchange, request, failure_of(refusal, destination), head, now_us, named)

    def _blames(self, status: int) -> bool:
        return strikes_destination(self._rules.reactions, status)

    def _refusal(self, conn: int, head: int, payload: bytes) -> Refusal:
        if conn == _QUIC:
            with suppress(ProtocolError):  # otherwise it is read as it is
                payload = split_quic_error(payload)[1]
        return read_refusal(head, payload)

    def unreachable(self, dst: int, conn: int, exchange: int, now_us: int) -> list[Effect] | None:
        """Learn that the connection could not be opened."""
        request = self.take(dst, conn, exchange)
        if request is None:
            return None
        return self._fail(exchange, request, Failure.NO_GUARD, 0, now_us)

    def _fail(
        self, exchange: int, request: Request, failure: Failure, status: int, now_us: int,
        named: int | None = None,
    ) -> list[Effect]:  # fmt: skip
        """Have a failure paid for; repeat the request, or tell who waits for it."""
        if request.path is not None:
            cost = self._table[failure]
            if self.keeper.in_use(request.path) or self._rules.reactions == "libsession":
                self.keeper.pay(request.path, cost, named, now_us)
            if cost.again and request.again is not None:
                number = exchange & _LOW | request.repeats << REPEAT_SHIFT
                due_us = now_us + request.repeats * self._rules.repeat_pause_us
                heappush(self._repeats, _Repeat(due_us, number, request.again, request.done))
                return []
        return request.done(status, b"", now_us)

    def _finish(self, exchange: int) -> Request:
        request = self._pending.pop(exchange)
        if request.path is not None:
            request.path.busy -= 1
        return request

    # --- time ---------------------------------------------------------------------------------------------

    def overdue(self, now_us: int) -> list[tuple[int, Request]]:
        """Take all requests whose deadline has come, in order of deadline."""
        late = []
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now_us:
            deadline_us, exchange = heappop(deadlines)
            request = self._pending.get(exchange)
            if request is not None and request.deadline_us == deadline_us:
                self._held.pop(exchange, None)
                late.append((exchange, self._finish(exchange)))
        return late

    def wake(self, now_us: int) -> list[Effect]:
        """Give up what is overdue, and repeat what is to be repeated."""
        effects: list[Effect] = []
        if self._deadlines and self._deadlines[0][0] <= now_us:
            for exchange, request in self.overdue(now_us):
                effects += self._fail(exchange, request, Failure.SILENT, 0, now_us)
        while self._repeats and self._repeats[0].due_us <= now_us:
            repeat = heappop(self._repeats)
            effects.append(repeat.again(repeat.number, now_us))
        return effects

    def next_due_us(self) -> int | None:
        """Give when something falls due next: the earliest deadline still awaited, or a repetition."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][1] not in self._pending:
            heappop(deadlines)
        due = deadlines[0][0] if deadlines else None
        if self._repeats and (due is None or self._repeats[0].due_us < due):
            return self._repeats[0].due_us
        return due
