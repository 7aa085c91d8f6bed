"""The machine of a service node (transport 3.5-3.8, 5).

It opens one onion layer and relays, answers or refuses; executes storage RPC; and copies stores to its swarm
(`_jobs`). All requests of one kind wait equally long, so what is pending lies in dicts in order of deadline,
and one wake-up, armed only while something is pending, serves all: a request that is answered in time costs
no timer.

Whatever arrives gets an error answer or silence. Nodes talk over OxenMQ, which knows its peers: a node-only
endpoint called by anybody else, an answer nobody awaits, or one from the wrong node is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.crypto.layer import AES_CBC, ENC_TYPES, Layer
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.machine import NOTHING, SEND, WAKE_AT, Effect, Effects
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._jobs import Job, Jobs
from sessionsim.protocol.snode._server_relay import CONNECTION as _TO_SERVER
from sessionsim.protocol.snode._server_relay import ServerRelay
from sessionsim.protocol.snode._storage_rpc import UNASSIGNED_SWARM, StorageRpc
from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.wire.onion import (
    FINAL,
    TO_NODE,
    claimed_hop,
    decode_client_request,
    decode_hop,
    decode_inner,
    encode_hop,
    open_request,
    seal_answer,
    server_is_allowed,
)
from sessionsim.protocol.wire.onion_relay import OpenedLayer, step
from sessionsim.protocol.wire.rpc_answers import Answer, quic_error, text_answer
from sessionsim.protocol.wire.rpc_node import BatchCall, PollCall, Refused
from sessionsim.protocol.wire.rpc_params import read_call

_HTTPS: Final = int(Transport.HTTPS)
_OMQ: Final = int(Transport.OMQ)
_QUIC: Final = int(Transport.QUIC)
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
_CODES: Final = range(100, 600)  # Source: HTTP, RFC 9110 section 15


class ServiceNode:
    """One service node.

    Args:
        endpoint: its position in the node list, which is its endpoint number.
        ed, x: its Ed25519 and X25519 pairs.
        nodes: the node list it knows.
        suite: cryptography.
        entropy: its addressed chance.
        rules: limits and timeouts.
        epoch_ms: unix ms of simulated time 0.
        servers: endpoint of every server it can post to, by host name in lower case; others do not resolve.
    """

    def __init__(
        self,
        endpoint: int,
        ed: KeyPair,
        x: KeyPair,
        nodes: NodeList,
        suite: Suite,
        entropy: Entropy,
        rules: NodeRules,
        epoch_ms: int,
        servers: Mapping[str, int] | None = None,
    ) -> None:
        self._x, self._nodes, self._suite, self._entropy, self._rules = x, nodes, suite, entropy, rules
        self._epoch_ms = epoch_ms
        self._count = len(nodes)
        self._name = ed.public.hex()
        self._ready = nodes.swarm[endpoint] != UNASSIGNED_SWARM
        self._rpc = StorageRpc(endpoint, ed, nodes, suite, rules)
        self._jobs = Jobs(endpoint, nodes, self._rpc, rules, epoch_ms)
        self._posts = ServerRelay(servers or {}, rules.server_timeout_us)
        self._legacy = rules.accepts_aes_cbc
        self._relay_timeout_us = rules.relay_timeout_us
        self._hops_max, self._relays_max = rules.hops_max, rules.relays_max
        self._max_bytes = rules.request_max_bytes
        self._free = 1  # the next exchange number
        # Exchange number -> deadline, previous hop, its connection and exchange, next hop.
        self._relays: dict[int, tuple[int, int, int, int, int]] = {}
        self._wake_us: int | None = None

    @property
    def store(self) -> MessageStore:
        """The messages this node holds, for tests and inspection."""
        return self._rpc.store

    @property
    def pending(self) -> int:
        """How many answers of other nodes are awaited."""
        return len(self._relays) + len(self._jobs) + len(self._posts)

    def start(self, now_us: int) -> Effects:
        """Begin; a node has nothing to do by itself."""
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        """A node takes no commands."""
        return NOTHING

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        """Take a transmission: a request of a client or node, or an answer. Never raises on hostile bytes."""
        transport = conn & _TRANSPORT
        if type(head) is int:
            relay = self._relays.get(exchange)
            if relay and head == 200 and relay[4] == src and conn == _OMQ and len(payload) <= self._max_bytes:
                # The usual case: an answer goes back the way its request came, unchanged.
                del self._relays[exchange]
                return ((SEND, relay[1], relay[2], relay[3], 200, payload, 0),)
            return self._answered(src, conn, exchange, head, payload, now_us)
        if head == "sn.onion_request":
            if transport == _OMQ and 0 <= src < self._count and len(payload) <= self._max_bytes:
                return self._onion_request(src, conn, exchange, payload, False, now_us)
            return NOTHING
        if head == "sn.storage_cc":
            if transport != _OMQ or not 0 <= src < self._count or len(payload) > self._max_bytes:
                return NOTHING
            now_ms = now_us // US_PER_MS + self._epoch_ms
            status, answer = self._rpc.store_forwarded(payload, now_ms)
            return ((SEND, src, conn, exchange, status, answer, 0),)
        if head in ("onion_req", "storage_rpc") and transport != _OMQ:
            if len(payload) > self._max_bytes:
                return (self._reply(src, conn, exchange, 413, b"Request body too large"),)
            if head == "onion_req":
                return self._onion_request(src, conn, exchange, payload, True, now_us)
            if not self._ready:
                return (self._not_ready(src, conn, exchange),)
            return self._run(Job(src, conn, exchange), payload, now_us)
        return NOTHING

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        """Learn that a request of ours did not get through.

        A relay passes it on. A member that cannot be reached shows only by its silence, since OxenMQ
        reports no failed connection: it counts as timed out when its time is up.
        """
        relay = self._relays.get(exchange)
        if relay is None or relay[4] != dst:
            post = self._posts.take(dst, exchange)
            if post is None:
                return NOTHING
            refusal = self._posts.unreachable(post, now_us)
            return (self._reply(post.src, post.conn, post.exchange, *refusal),)
        if not self._rules.tells_unreachable:
            return NOTHING
        del self._relays[exchange]
        text = f"Next node is currently unreachable: {self._nodes.ed25519[dst].hex()}"
        return (self._reply(relay[1], relay[2], relay[3], 502, text.encode()),)

    def wake(self, now_us: int) -> Effects:
        """Give up on what is overdue."""
        self._wake_us = None
        relays = self._relays
        if not relays and not self._jobs and not self._posts:
            return NOTHING
        effects: list[Effect] = []
        overdue = []
        for exchange, relay in relays.items():
            if relay[0] > now_us:
                break
            overdue.append(exchange)
        for exchange in overdue:
            _deadline, src, conn, asked, _dst = relays.pop(exchange)
            effects.append(self._reply(src, conn, asked, 504, b"Request time out"))
        for post in self._posts.overdue(now_us):
            effects.append(self._reply(post.src, post.conn, post.exchange, *self._posts.timed_out()))
        while (outcome := self._jobs.expire_one(self._free, effects, now_us)) is not None:
            job, answer, self._free = outcome
            if answer is not None:
                effects.append(self._finished(job, answer))
        self._arm(effects)
        return effects

    def _reply(self, src: int, conn: int, exchange: int, status: int, body: bytes) -> Effect:
        if status != 200 and conn & _TRANSPORT == _QUIC:
            body = quic_error(status, body)
        return (SEND, src, conn, exchange, status, body, 0)

    def _arm(self, effects: list[Effect]) -> None:
        deadline = self._jobs.next_deadline_us()
        if self._relays:
            relay = next(iter(self._relays.values()))[0]
            deadline = relay if deadline is None else min(relay, deadline)
        post = self._posts.next_deadline_us()
        if post is not None:
            deadline = post if deadline is None else min(post, deadline)
        if deadline is not None and (self._wake_us is None or deadline < self._wake_us):
            self._wake_us = deadline
            effects.append((WAKE_AT, deadline))

    def _not_ready(self, src: int, conn: int, exchange: int) -> Effect:
        if conn & _TRANSPORT == _HTTPS and self._rules.guard_not_ready == "service node":
            return self._reply(src, conn, exchange, 503, b"Service node is not ready: not in any swarm\n")
        return self._reply(src, conn, exchange, 503, f"Snode not ready: {self._name}".encode())

    def _onion_request(
        self, src: int, conn: int, exchange: int, payload: bytes, from_client: bool, now_us: int
    ) -> Effects:
        """Open one layer and do what it asks for."""
        if not self._ready:
            return (self._not_ready(src, conn, exchange),)
        try:
            opened = step(self._suite, self._x, payload, from_client, self._hops_max)
            if opened is None:
                opened = self._open_slowly(payload, from_client)
        except CannotOpen:
            return (self._reply(src, conn, exchange, 400, b"Invalid ciphertext"),)
        except RemoteProtocolError as wrong:
            return (self._reply(src, conn, exchange, 400, str(wrong).encode()),)
        if len(opened) == 2:
            return self._forward(src, conn, exchange, opened[0], opened[1], now_us)
        layer, plaintext, ephemeral, hop = opened
        try:
            inner = decode_inner(plaintext)
        except RemoteProtocolError:
            return (self._sealed(src, conn, exchange, layer, ephemeral, text_answer(400, "Invalid json")),)
        if inner[0] == FINAL:
            _kind, body, as_json, as_base64 = inner
            job = Job(src, conn, exchange, layer, ephemeral, as_json, as_base64)  # type: ignore[arg-type]
            return self._run(job, body, now_us)  # type: ignore[arg-type]
        if inner[0] == TO_NODE:
            return self._relay(src, conn, exchange, layer, ephemeral, inner, hop, now_us)
        return self._to_server(src, conn, exchange, layer, ephemeral, inner, now_us)

    def _open_slowly(self, payload: bytes, from_client: bool) -> OpenedLayer:
        """Open a layer of any shape. Raises CannotOpen; RemoteProtocolError with the text of the answer."""
        hop = claimed = 0
        try:
            if from_client:
                ciphertext, ephemeral, enc_type = decode_client_request(payload)
                claimed = claimed_hop(payload)
            else:
                ciphertext, ephemeral, enc_type, hop = decode_hop(payload)
        except RemoteProtocolError as wrong:
            what = "Error parsing" if from_client else "Invalid internal"
            raise RemoteProtocolError(f"{what} onion request: {wrong}") from wrong
        if hop > self._hops_max:
            raise RemoteProtocolError("onion request max path length exceeded")
        opened = open_request(self._suite, self._x, ephemeral, enc_type, ciphertext, legacy=self._legacy)
        # What a client claims is counted on, and only the next node holds it to the limit.
        return *opened, ephemeral, hop or claimed

    def _relay(
        self,
        src: int,
        conn: int,
        exchange: int,
        layer: Layer,
        ephemeral: bytes,
        inner: tuple[Any, ...],
        hop: int,
        now_us: int,
    ) -> Effects:
        _kind, blob, next_ephemeral, next_type, destination = inner
        cipher = ENC_TYPES.get(next_type)
        if cipher is None and next_type == AES_CBC and self._legacy:
            cipher = AES_CBC
        if cipher is None:
            return (self._sealed(src, conn, exchange, layer, ephemeral, text_answer(400, "Invalid json")),)
        message = encode_hop(blob, next_ephemeral, cipher, hop + 1)
        return self._forward(src, conn, exchange, destination, message, now_us)

    def _forward(
        self, src: int, conn: int, exchange: int, destination: bytes, message: bytes, now_us: int
    ) -> Effects:
        """Send a message on to the node with this Ed25519 key, and await its answer."""
        dst = self._nodes.index.get(destination)
        if dst is None:
            text = f"Next node not found: {destination.hex()}"
            return (self._reply(src, conn, exchange, 502, text.encode()),)
        if len(self._relays) >= self._relays_max:
            return (self._reply(src, conn, exchange, 503, b"Server busy, try again later"),)
        own = self._free
        self._free = own + 1
        deadline = now_us + self._relay_timeout_us
        self._relays[own] = (deadline, src, conn, exchange, dst)
        effect = (SEND, dst, _OMQ, own, "sn.onion_request", message, 0)
        if self._wake_us is not None and self._wake_us <= deadline:
            return (effect,)
        self._wake_us = deadline
        return (effect, (WAKE_AT, deadline))

    def _to_server(
        self,
        src: int,
        conn: int,
        exchange: int,
        layer: Layer,
        ephemeral: bytes,
        inner: tuple[Any, ...],
        now_us: int,
    ) -> Effects:
        _kind, _plaintext, protocol, host, _port, target = inner
        if not server_is_allowed(protocol, target):
            return (self._sealed(src, conn, exchange, layer, ephemeral, text_answer(400, "Invalid url")),)
        if not self._posts.resolves(host):
            text = text_answer(502, f"Could not resolve host: {host[:255]}")
            return (self._reply(src, conn, exchange, 502, text[1]),)
        if len(self._posts) >= self._relays_max:
            return (self._reply(src, conn, exchange, 503, b"Server busy, try again later"),)
        effects: list[Effect] = [self._posts.send(src, conn, exchange, ephemeral, inner, now_us)]
        self._arm(effects)
        return effects

    def _run(self, job: Job, body: bytes, now_us: int) -> Effects:
        if len(self._jobs) >= self._rules.relays_max:
            return (self._finished(job, text_answer(503, "Server busy, try again later")),)
        try:
            call = read_call(body, self._rules.message_max_bytes, self._rules.batch_max)
        except Refused as refused:
            return (self._finished(job, text_answer(refused.status, refused.text)),)
        if type(call) is PollCall:
            return (self._finished(job, self._rpc.poll(call, now_us // US_PER_MS + self._epoch_ms)),)
        if type(call) is BatchCall:
            job.calls, job.is_batch, job.in_turn = call.calls, True, call.in_turn
        else:
            job.calls = (call,)  # type: ignore[assignment]
        effects: list[Effect] = []
        answer, self._free = self._jobs.begin(job, self._free, effects, now_us)
        if answer is not None:
            effects.append(self._finished(job, answer))
        if self._jobs:
            self._arm(effects)
        return effects

    def _finished(self, job: Job, answer: Answer) -> Effect:
        layer = job.layer
        if layer is None:
            return self._reply(job.src, job.conn, job.exchange, answer[0], answer[1])
        return self._sealed(
            job.src, job.conn, job.exchange, layer, job.ephemeral, answer, job.as_json, job.as_base64
        )

    def _sealed(
        self,
        src: int,
        conn: int,
        exchange: int,
        layer: Layer,
        ephemeral: bytes,
        answer: Answer,
        as_json: bool = False,
        as_base64: bool = True,
    ) -> Effect:
        status, body, is_json = answer
        sealed = seal_answer(
            layer,
            status,
            body,
            self._entropy.draw(b"answer" + ephemeral),
            as_json=as_json and is_json,
            as_base64=as_base64,
        )
        return (SEND, src, conn, exchange, 200, sealed, 0)

    def _answered(
        self, src: int, conn: int, exchange: int, status: int, payload: bytes, now_us: int
    ) -> Effects:
        if conn == _TO_SERVER:
            post = self._posts.take(src, exchange)
            if post is None:
                return NOTHING
            if status not in _CODES:
                status, payload = 502, b"Invalid response from server"
            return (self._reply(post.src, post.conn, post.exchange, status, payload),)
        if conn != _OMQ:
            return NOTHING
        relay = self._relays.get(exchange)
        if relay is not None:
            if relay[4] != src:
                return NOTHING
            del self._relays[exchange]
            if status not in _CODES or len(payload) > self._max_bytes:
                return (self._reply(relay[1], relay[2], relay[3], 500, b"Invalid response from snode"),)
            return (self._reply(relay[1], relay[2], relay[3], status, payload),)
        effects: list[Effect] = []
        outcome = self._jobs.take(src, exchange, status, payload, self._free, effects, now_us)
        if outcome is None:
            return NOTHING
        job, answer, self._free = outcome
        if answer is not None:
            effects.append(self._finished(job, answer))
        if effects and self._jobs:
            self._arm(effects)
        return effects
