"""Requests of one client over its onion paths: build, remember, match the answer, give up in time.

An exchange number says what it is for (low four bits, `Purpose`), which of its kind it is, and above
`REPEAT_SHIFT` which repetition, so that its draws and the host's never depend on unrelated requests. What is
under way and when it is given up is kept in `pending`.

A request that finds no path waits until one is built; one that is made while the client is offline or asleep
waits until it is awake. `send` then gives `HELD`, which the machine takes out of the effects; what goes out
beside the effects of a call lies in `aside`. `stirred` says that there is either, or that something has
changed about paths and node list, so that the machine asks their keepers when they want to be woken.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from sessionsim.core.columns import Transport
from sessionsim.core.errors import ProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.exchanges import HELD, REPEAT_SHIFT, SERVER, Done, Purpose, Request
from sessionsim.protocol.client.merging import Merger
from sessionsim.protocol.client.path_keeper import Nodes, OnionPath, PathKeeper
from sessionsim.protocol.client.path_rules import HOPS
from sessionsim.protocol.client.pending import Pending
from sessionsim.protocol.client.pool import Pool, directory_of, listing_of
from sessionsim.protocol.client.reactions import (
    BLAMELESS,
    TABLES,
    Failure,
    failure_of,
    refusal_of,
    strikes_destination,
)
from sessionsim.protocol.client.repeats import Repeats
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.machine import CLOSE, CONNECT, SEND, Effect
from sessionsim.protocol.wire.batches import is_batch
from sessionsim.protocol.wire.filling import fill_clear
from sessionsim.protocol.wire.onion import LAYER_RANDOM_BYTES as _R
from sessionsim.protocol.wire.onion import STYLES, Hop, build_request
from sessionsim.protocol.wire.onion_answer import answer_layers
from sessionsim.protocol.wire.onion_server import ServerAddress, build_server_request
from sessionsim.protocol.wire.unsealed import MOST_BYTES, UnsealedRequest

_CONNECTION: Final = {"https": int(Transport.HTTPS), "quic": int(Transport.QUIC)}
_QUIC, _HTTPS = int(Transport.QUIC), int(Transport.HTTPS)
_LOW: Final = (1 << REPEAT_SHIFT) - 1
_TIME_CODES: Final = (406, 425)  # Source: transport 4: the clock is put right after these
# Where a batch says so in its first result; a wrong time is wrong for all of them. The texts of this error
# are shorter than what is looked at (transport 5.2), and what comes from accounts is base64, without quotes.
_WRONG_TIME: Final = b'"code":406'
_FIRST_RESULT: Final = 160


__all__ = ["HELD", "SERVER", "Purpose", "Request", "Requests"]


def _nobody(now_us: int) -> None:
    """Listen in nobody's place."""


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
        self._pending = Pending()
        self._held: dict[int, Callable[[int], Effect]] = {}
        self._repeats = Repeats()
        self._merger = Merger(rules.merge_window_us, self._send_merged) if rules.merge_window_us else None
        self._delayed = tuple(
            one for one in (self._repeats if rules.repeats else None, self._merger) if one is not None
        )
        self._is_usual = rules.path_hops == HOPS
        self.unsealed = False  # whoever carries requests can let them pass without bytes
        self.shut = False  # offline or asleep: nothing goes out
        self.aside: list[Effect] = []
        self.stirred = False
        # Told of each use of a path, and of each choice of nodes, where upkeep is begun by that.
        self.on_use: Callable[[int], None] | None = None
        self.on_choice: Callable[[int], None] | None = None
        self.on_wrong_time: Callable[[int], None] = _nobody  # told when a node has taken a time for wrong
        # When made, and the ephemeral pairs of all requests; only when somebody owns this device (World.run).
        self.kept_pairs: list[tuple[int, KeyPair]] | None = None
        self.multiple_bytes = 0  # what requests are filled up to (defences); 0: not at all

    def __len__(self) -> int:
        return len(self._pending) + sum(len(delayed) for delayed in self._delayed)

    @property
    def nodes(self) -> int:
        """How many service nodes the world's list has: endpoints below are nodes."""
        return len(self._nodes)

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
        merged: bool = False,
    ) -> Effect:
        """Start a request to a node; the effect to return. `done` gets what comes of it.

        Args:
            path: over this path, which is being tested: a failure costs nothing, and is not repeated.
            timeout_us: other than usual; 0 for the usual one.
            repeats: how often the client has repeated it by itself.
            merged: it has waited for others to the same node before.
        """
        merger = self._merger
        if merger is not None and not (merged or path or self.shut) and is_batch(body):
            full = merger.take(exchange, node, body, note, now_us, done, timeout_us)
            self.put_aside(HELD if full is None else full)
            return HELD
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
                lambda t: self.send(exchange, node, body, note, t, done, given, timeout_us, repeats, True),
            )  # fmt: skip
        guard = path.nodes[0]
        hops = self._hops
        route = (*[hops[relay] for relay in path.nodes], hops[node])
        deadline_us = now_us + (timeout_us or self._rules.request_timeout_us)
        request = Request(None, path, guard, self.connection, node, deadline_us, done)
        payload: bytes | UnsealedRequest
        if self.unsealed and len(body) <= MOST_BYTES and self._is_usual:
            seal = partial(self._seal, request, route, body, address, now_us)
            payload = UnsealedRequest((*path.nodes, node), self._style.name, body, seal)
        else:
            payload = self._seal(request, route, body, address, now_us)
        if given is None and self._rules.repeats > repeats:
            request.repeats = repeats + 1
            request.again = lambda number, t_us: self.send(
                number, node, body, note, t_us, done, None, timeout_us, repeats + 1, True
            )
        self._pending.begin(exchange, request)
        return (SEND, guard, self.connection, exchange, "onion_req", payload, note)

    def _seal(
        self, request: Request, route: tuple[Hop, ...], body: bytes, address: bytes, now_us: int
    ) -> bytes:
        """Make the bytes of a request to a node."""
        randoms = self._randoms(address, len(route), now_us)
        payload, request.layer = build_request(
            self._suite, self._style, route, body, randoms, self.multiple_bytes
        )
        return payload

    def _send_merged(
        self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Done, timeout_us: int
    ) -> Effect:
        return self.send(exchange, node, body, note, now_us, done, None, timeout_us, 0, True)

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
        randoms = self._randoms(address, len(route) + 1, now_us)
        frame, layer = build_server_request(
            self._suite, self._style, route, server, payload, randoms, self.multiple_bytes
        )
        deadline_us = now_us + (timeout_us or self._rules.request_timeout_us)
        request = Request(layer, path, path.nodes[0], self.connection, SERVER, deadline_us, done)
        request.layers = answer_layers(self._suite, layer, randoms[-1][:32], server.x25519)
        if self._rules.repeats > repeats:
            request.repeats = repeats + 1
            request.again = lambda number, t_us: self.send_to_server(
                number, server, payload, note, t_us, done, timeout_us, files, repeats + 1
            )
        self._pending.begin(exchange, request)
        return (SEND, path.nodes[0], self.connection, exchange, "onion_req", frame, note)

    def _randoms(self, address: bytes, layers: int, now_us: int) -> tuple[bytes, ...]:
        """Draw what the layers of a request need."""
        random = self._entropy.expand(b"onion" + address, layers * _R)
        randoms = tuple([random[k : k + _R] for k in range(0, layers * _R, _R)])
        if self.kept_pairs is not None:
            self.kept_pairs.extend((now_us, self._suite.ephemeral(own[:32])) for own in randoms)
        return randoms

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
        if self.multiple_bytes and endpoint < len(self._nodes) and payload[:1] == b"{":
            payload = fill_clear(payload, self.multiple_bytes)
        self._pending.begin(
            exchange, Request(None, None, endpoint, conn, endpoint, now_us + timeout_us, done)
        )
        return (SEND, endpoint, conn, exchange, head, payload, note)

    def connect(
        self, exchange: int, endpoint: int, note: int, now_us: int, timeout_us: int, done: Done
    ) -> Effect:
        """Open a connection and nothing more; `done` gets status CONNECTED, or 0."""
        conn = self.connection
        self._pending.begin(
            exchange, Request(None, None, endpoint, conn, endpoint, now_us + timeout_us, done)
        )
        return (CONNECT, endpoint, conn, exchange, note)

    def awaits(self, exchange: int) -> bool:
        """Say whether somebody still waits for the answer to an exchange."""
        return exchange in self._pending

    def is_quiet(self) -> bool:
        """Say whether nothing is under way, waits or is kept, and requests go out, of any size."""
        if self.shut or self.stirred or len(self._pending) or self.multiple_bytes:
            return False
        if not self._is_usual:  # trains know routes of three relays only
            return False
        return self.kept_pairs is None and not any(self._delayed)

    def _await(self, exchange: int, endpoint: int, conn: int, deadline_us: int, done: Done) -> None:
        """Await the answer to something that goes over no path."""
        self._pending.begin(exchange, Request(None, None, endpoint, conn, endpoint, deadline_us, done))

    def _path_for(self, node: int, address: bytes, now_us: int, files: bool = False) -> OnionPath | None:
        if self.shut:
            return None
        if self.on_use is not None:
            self.on_use(now_us)
        return self.keeper.choose(node, address, files)

    # --- waiting ------------------------------------------------------------------------------------------

    def hold(self, exchange: int, now_us: int, done: Done, go: Callable[[int], Effect]) -> Effect:
        """Let a request wait for a path, as long as it may take at all."""
        self._held[exchange] = go
        self._await(exchange, SERVER, SERVER, now_us + self._rules.request_timeout_us, done)
        self.stirred = True
        if not self.shut:
            assert self.keeper.builder is not None
            self.keeper.builder.build(now_us)
        return HELD

    def let_go(self, now_us: int) -> None:
        """Send what waits, now that there are paths; what finds none waits on."""
        held, self._held = self._held, {}
        for exchange, go in held.items():
            self._pending.finish(exchange)
            self.put_aside(go(now_us))

    def fail_held(self, now_us: int) -> None:
        """Give up what waits, since no path could be built."""
        held, self._held = self._held, {}
        for exchange in held:
            self.put_aside(*self._pending.finish(exchange).done(0, b"", now_us))

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
        for exchange in self._pending:
            if exchange not in self._held and exchange in self._pending:
                effects += self._pending.finish(exchange).done(0, b"", now_us)
        for delayed in self._delayed:
            effects += delayed.cut(now_us)
        return effects

    # --- what comes of it ---------------------------------------------------------------------------------

    def receive(
        self, src: int, conn: int, exchange: int, head: int, payload: bytes, now_us: int
    ) -> list[Effect] | None:
        """Take an answer: what comes of it, or None if nothing like it is awaited."""
        request = self._pending.take(src, conn, exchange)
        if request is None:
            return None
        if request.path is None:
            return request.done(head, payload, now_us)
        if head == 200:
            try:
                status, body = request.open(payload)
            except (ProtocolError, TypeError):  # TypeError: nested deeper than orjson can write it down
                status, body = 0, b""
            if status == 200:
                if body.find(_WRONG_TIME, 0, _FIRST_RESULT) >= 0:
                    self.on_wrong_time(now_us)
            elif request.node != SERVER:
                if status in _TIME_CODES:
                    self.on_wrong_time(now_us)
                if strikes_destination(self._rules.reactions, status):
                    self.keeper.strike(request.node, now_us)
            return request.done(status, body, now_us)
        if head in BLAMELESS:
            if head in _TIME_CODES:
                self.on_wrong_time(now_us)
            return request.done(head, b"", now_us)
        # What a node on the path says of itself is no answer of the node that was asked.
        refusal = refusal_of(head, payload, quic=conn == _QUIC)
        destination = self._hops[request.node].ed25519_hex.decode() if request.node != SERVER else ""
        named = directory_of(self._nodes).get(bytes.fromhex(refusal.node)) if refusal.node else None
        return self._fail(exchange, request, failure_of(refusal, destination), head, now_us, named)

    def unreachable(self, dst: int, conn: int, exchange: int, now_us: int) -> list[Effect] | None:
        """Learn that the connection could not be opened."""
        request = self._pending.take(dst, conn, exchange)
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
                self._repeats.add(due_us, number, request.again, request.done)
                return []
        return request.done(status, b"", now_us)

    # --- time ---------------------------------------------------------------------------------------------

    def overdue(self, now_us: int) -> list[tuple[int, Request]]:
        """Take all requests whose deadline has come, in order of deadline."""
        late = self._pending.overdue(now_us)
        for exchange, _ in late:
            self._held.pop(exchange, None)
        return late

    def wake(self, now_us: int) -> list[Effect]:
        """Give up what is overdue, and repeat what is to be repeated."""
        effects: list[Effect] = []
        for exchange, request in self.overdue(now_us):
            if request.conn == _HTTPS:
                effects.append((CLOSE, request.first, request.conn, exchange))
            effects += self._fail(exchange, request, Failure.SILENT, 0, now_us)
        for delayed in self._delayed:
            effects += delayed.wake(now_us)
        return effects

    def next_due_us(self) -> int | None:
        """Give when something falls due next: the earliest deadline still awaited, or a repetition."""
        due = self._pending.next_due_us()
        for delayed in self._delayed:
            t_us = delayed.next_due_us()
            if t_us is not None and (due is None or t_us < due):
                due = t_us
        return due
