"""The machine of a service node (transport 3.5-3.8, 5).

It opens one onion layer and relays, answers or refuses; executes storage RPC, and passes on to its swarm what
concerns all of it (`_calls`, `_jobs`); the rest is in `_side_requests`, `_monitors` and `_upkeep`. All
requests of one kind wait equally long, so what is pending lies in dicts in order of deadline, and one
wake-up, armed only while something is pending, serves all: a request that is answered in time costs no timer.

Whatever arrives gets an error answer or silence. Nodes talk over OxenMQ, which knows its peers: a node-only
endpoint called by anybody else, an answer nobody awaits, or one from the wrong node is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import GOLDEN, MIX1, Entropy
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.machine import BACK, NOTHING, SEND, WAKE_AT, Effect, Effects
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._calls import Calls
from sessionsim.protocol.snode._jobs import Job, Jobs
from sessionsim.protocol.snode._monitors import Monitors
from sessionsim.protocol.snode._onions import message_of, open_slowly
from sessionsim.protocol.snode._replies import Replies
from sessionsim.protocol.snode._rereads import Again, find_again
from sessionsim.protocol.snode._retries import NEVER_US, Retries
from sessionsim.protocol.snode._server_relay import CONNECTION as _TO_SERVER
from sessionsim.protocol.snode._server_relay import ServerRelay
from sessionsim.protocol.snode._side_requests import SideRequests
from sessionsim.protocol.snode._standing import Standing
from sessionsim.protocol.snode._storage_rpc import Reads, StorageRpc
from sessionsim.protocol.snode._transfers import Transfers
from sessionsim.protocol.snode._upkeep import Upkeep
from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.wire.onion import (
    FINAL,
    TO_NODE,
    decode_inner,
    server_is_allowed,
)
from sessionsim.protocol.wire.onion_relay import step
from sessionsim.protocol.wire.rpc_answers import Answer, text_answer
from sessionsim.protocol.wire.unsealed import UnsealedRequest

_HTTPS: Final = int(Transport.HTTPS)
_OMQ: Final = int(Transport.OMQ)
_QUIC: Final = int(Transport.QUIC)
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
# Exchange numbers of relayed requests have this bit, others do not; below it lie hashes.
_RELAYED: Final = 1 << 62
_KIND_SHIFT: Final = 44  # below the posts to servers, which begin at 1 << 49
_RELAYED_MASK: Final = _RELAYED - 1
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
        self._x, self._nodes, self._suite, self._rules = x, nodes, suite, rules
        self._epoch_ms = self._true_epoch_ms = epoch_ms
        self._count = len(nodes)
        self._standing = Standing(endpoint, ed.public, nodes, rules)
        self.replies = replies = Replies(self._standing, entropy)
        self._not_ready, self._finished, self._sealed = replies.not_ready, replies.finished, replies.sealed
        self._reply = replies.reply
        self._ready = self._standing.is_ready()
        self._rpc = StorageRpc(endpoint, ed, nodes, suite, rules)
        # Exchange numbers, but of relays and forwards, by what they are for: so none depends on how much else
        # is done. Those of forwards are the lowest, below the first kind.
        repeats, moved, told, further = (count(1 + (kind << _KIND_SHIFT)) for kind in range(1, 5))
        retries = Retries(rules, repeats) if rules.retry_forwards else None
        self._jobs = Jobs(endpoint, nodes, self._rpc, rules, epoch_ms, further, retries)
        self._upkeep = Upkeep(retries, Transfers(endpoint, nodes, self.store, rules, moved))
        self._monitors = Monitors(suite, rules, self._rpc.is_ours, told, epoch_ms)
        self._rpc.watched = self._monitors.accounts
        self._calls = Calls(self._rpc, self._jobs, self._standing, replies, self._monitors, rules, epoch_ms)
        self._side = SideRequests(ed.public, self._count, self._upkeep, self._monitors, epoch_ms)
        self._posts = ServerRelay(servers or {}, rules.server_timeout_us)
        self._legacy = rules.accepts_aes_cbc
        self._relay_timeout_us = rules.relay_timeout_us
        self._hops_max, self._relays_max = rules.hops_max, rules.relays_max
        self._max_bytes = rules.request_max_bytes
        # Exchange number -> deadline, previous hop, its connection and exchange, next hop.
        self._relays: dict[int, tuple[int, int, int, int, int]] = {}
        self._wake_us: int | None = None

    @property
    def store(self) -> MessageStore:
        """The messages this node holds, for tests and inspection."""
        return self._rpc.store

    def has_revoked(self, account: bytes, token: bytes) -> bool:
        """Say whether this node refuses a token of a subaccount as revoked."""
        return self._rpc.has_revoked(account, token)

    @property
    def reads(self) -> Reads:
        """What it reads boxes with when somebody asks."""
        return self._rpc.reads

    def know_names(self, names: Mapping[bytes, tuple[bytes, bytes]]) -> None:
        """Have its daemon know names: encrypted value and nonce by the hash of the name."""
        self._rpc.names = names

    def read_with(self, reads: Reads) -> None:
        """Have boxes read with something else, as a node does that does not tell the truth."""
        self._rpc.reads = reads

    @property
    def is_ready(self) -> bool:
        """Whether it takes requests."""
        return self._ready

    @property
    def pending(self) -> int:
        """How many answers of other nodes are awaited."""
        return len(self._relays) + len(self._jobs) + len(self._posts) + len(self._upkeep)

    def idle_until_us(
        self, account: bytes, cursors: Sequence[tuple[int, str]], now_us: int, token: bytes = b""
    ) -> int | None:
        """Give until when a poll brings nothing, if it does now; see `StorageRpc.idle_until_ms`."""
        if not self._ready:
            return None
        until_ms = self._rpc.idle_until_ms(account, cursors, now_us // US_PER_MS + self._epoch_ms, token)
        return None if until_ms is None else (until_ms - self._epoch_ms) * US_PER_MS

    def knows(self, node: int) -> bool:
        """Say whether this node would ask another one: it is ready, and the other stands in its list."""
        return self._ready and self._nodes.index.get(self._nodes.ed25519[node]) == node

    @property
    def window_us(self) -> int:
        """How wrong the time of a signature may be."""
        return self._rules.signature_window_us

    def idle_answer(
        self, boxes: int, now_us: int, entries: Sequence[bytes] = (), again: Again | None = None
    ) -> Answer:
        """Give the answer to a poll of so many boxes that brings nothing; see `StorageRpc.idle_answer`."""
        return self._rpc.idle_answer(boxes, now_us // US_PER_MS + self._epoch_ms, entries, again)

    def find_again(
        self, account: bytes, cursors: Sequence[tuple[int, str]], max_size: int, now_us: int
    ) -> tuple[Again, int] | None:
        """Give what a poll would be given of the inbox alone, and until when; see `_rereads`."""
        if not self._ready:
            return None
        found = find_again(self._rpc, account, cursors, max_size, now_us // US_PER_MS + self._epoch_ms)
        return None if found is None else (found, (found.until_ms - self._epoch_ms) * US_PER_MS)

    @property
    def mates(self) -> tuple[int, ...]:
        """The other members of its swarm, in the order in which they are passed what concerns all."""
        return self._jobs.others

    @property
    def patience_us(self) -> int:
        """How long it waits for them."""
        return self._rules.replication_timeout_us

    def latest_expiry_ms(self, now_us: int) -> int:
        """Give the latest expiry, unix ms, that a message can be given."""
        return now_us // US_PER_MS + self._epoch_ms + self._rules.ttl_max_private_us // US_PER_MS

    def expiries_ms(self, account: bytes, hashes: Sequence[str]) -> tuple[int, ...] | None:
        """Give when messages expire here, unix ms; None if one of them is not here."""
        held = [self.store.find(account, hash_) for hash_ in hashes]
        found = tuple(one.message.expiry_ms for one in held if one is not None)
        return found if len(found) == len(held) else None

    def start(self, now_us: int) -> Effects:
        """Begin; a node has nothing to do by itself."""
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        """Learn something from the blockchain daemon beside the node, or suffer something.

        ("swarms", nodes, height)   a new node list, at a block height
        ("synced", whether)         the blockchain is up to date; a node takes it to be at first
        ("names", table)            registered names: hash -> encrypted value and nonce
        ("restart", disk_lost)      the program starts again after it had stopped
        ("clock", ahead_us)         its clock is so far ahead
        ("disk", full)              whether something else fills its disk
        """
        effects: list[Effect] = []
        what, value = command[0], command[1]
        if what == "swarms":
            self._nodes, self._count = value, len(value)
            self._standing.nodes, self._standing.height = value, command[2]
            self._rpc.use(value)
            self._jobs.use(value)
            self._side.count = self._count
            members, now_ms = self._standing.members(), now_us // US_PER_MS + self._epoch_ms
            self._upkeep.change(value, members, effects, now_us, now_ms)
            self._monitors.end_foreign(effects)
            self._arm(effects)
        elif what == "synced":
            self._standing.synced = value
        elif what == "names":
            self._rpc.names = value
        elif what == "restart":
            self._restart(value, effects, now_us)
        elif what == "clock":
            self._epoch_ms = epoch_ms = self._true_epoch_ms + value // US_PER_MS
            self._jobs.epoch_ms = self._calls.epoch_ms = epoch_ms
            self._side.epoch_ms = self._monitors.epoch_ms = epoch_ms
        elif what == "disk":
            self.store.fill_disk(value)
        self._ready = self._standing.is_ready()
        return effects

    def _restart(self, disk_lost: bool, effects: list[Effect], now_us: int) -> None:
        """Begin anew with what is on the disk; what was under way is forgotten."""
        self._wake_us = None
        self._relays.clear()
        self._posts.forget()
        self._jobs.forget()
        self._calls.forget()
        self._monitors.forget()
        self._rpc.restart(disk_lost)
        self._upkeep.restart(disk_lost, effects, now_us)
        self._arm(effects)

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
            return self._calls.run_forwarded(src, conn, exchange, payload, now_us)
        if head == "storage_rpc" and transport != _HTTPS and payload[:1] == b"l":
            return self._armed(self._calls.run_direct(Job(src, conn, exchange), payload, now_us))
        if head in ("onion_req", "storage_rpc") and transport != _OMQ:
            if len(payload) > self._max_bytes:
                return (self._reply(src, conn, exchange, 413, b"Request body too large"),)
            if head == "onion_req":
                return self._onion_request(src, conn, exchange, payload, True, now_us)
            if not self._ready:
                return (self._not_ready(src, conn, exchange),)
            return self._armed(self._calls.run(Job(src, conn, exchange), payload, now_us))
        if len(payload) > self._max_bytes:
            return NOTHING
        outcome = self._side.answer(src, conn, str(head), payload, now_us)
        if outcome is None:
            return NOTHING
        effects: list[Effect] = [(SEND, src, conn, exchange, *outcome, 0)]
        self._arm(effects)
        return effects

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        """Learn that a request of ours did not get through.

        A relay passes it on. A member that cannot be reached shows only by its silence, since OxenMQ
        reports no failed connection: it counts as timed out when its time is up.
        """
        relay = self._relays.get(exchange)
        if relay is None or relay[4] != dst:
            post = self._posts.take(dst, exchange)
            if post is not None:
                return (
                    self._reply(post.src, post.conn, post.exchange, *self._posts.unreachable(post, now_us)),
                )
            if conn & _TRANSPORT == _QUIC:
                self._monitors.lose(dst, conn & ~BACK)
            return NOTHING
        if not self._rules.tells_unreachable:
            return NOTHING
        del self._relays[exchange]
        text = f"Next node is currently unreachable: {self._nodes.ed25519[dst].hex()}"
        return (self._reply(relay[1], relay[2], relay[3], 502, text.encode()),)

    def wake(self, now_us: int) -> Effects:
        """Give up on what is overdue."""
        self._wake_us = None
        relays = self._relays
        if not (relays or self._jobs or self._posts) and self._upkeep.next_us == NEVER_US:
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
        self._calls.give_up(effects, now_us)
        self._upkeep.settle()
        if self._upkeep.next_us <= now_us:
            self._upkeep.work(effects, now_us)
        self._arm(effects)
        return effects

    def _arm(self, effects: list[Effect]) -> None:
        deadline = self._jobs.next_deadline_us()
        if self._relays:
            relay = next(iter(self._relays.values()))[0]
            deadline = relay if deadline is None else min(relay, deadline)
        post = self._posts.next_deadline_us()
        if post is not None:
            deadline = post if deadline is None else min(post, deadline)
        if self._upkeep.next_us != NEVER_US:
            deadline = self._upkeep.next_us if deadline is None else min(self._upkeep.next_us, deadline)
        if deadline is not None and (self._wake_us is None or deadline < self._wake_us):
            self._wake_us = deadline
            effects.append((WAKE_AT, deadline))

    def _armed(self, effects: Effects) -> Effects:
        """Wish to be woken for members whose answers have come to be awaited."""
        if self._jobs:
            effects = list(effects)
            self._arm(effects)
        return effects

    def _onion_request(
        self,
        src: int,
        conn: int,
        exchange: int,
        payload: bytes | UnsealedRequest,
        from_client: bool,
        now_us: int,
    ) -> Effects:
        """Open one layer and do what it asks for."""
        if not self._ready:
            return (self._not_ready(src, conn, exchange),)
        if isinstance(payload, UnsealedRequest):
            return self._armed(self._calls.run(Job(src, conn, exchange, payload), payload.body, now_us))
        try:
            opened = step(self._suite, self._x, payload, from_client, self._hops_max)
            if opened is None:
                opened = open_slowly(
                    self._suite, self._x, payload, from_client, self._hops_max, legacy=self._legacy
                )
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
            return self._armed(self._calls.run(job, body, now_us))  # type: ignore[arg-type]
        if inner[0] == TO_NODE:
            return self._relay(src, conn, exchange, layer, ephemeral, inner, hop, now_us)
        return self._to_server(src, conn, exchange, layer, ephemeral, inner, now_us)

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
        message = message_of(inner, hop, legacy=self._legacy)
        if message is None:
            return (self._sealed(src, conn, exchange, layer, ephemeral, text_answer(400, "Invalid json")),)
        return self._forward(src, conn, exchange, inner[4], message, now_us)

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
        # A number that only this request has, whatever else the node relays, since draws may hang on it.
        own = (exchange * GOLDEN ^ src * MIX1) & _RELAYED_MASK | _RELAYED
        while own in self._relays:
            own += 1
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
        effects: list[Effect] = [self._posts.send(src, conn, exchange, inner, now_us)]
        self._arm(effects)
        return effects

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
        effects = self._calls.take(src, exchange, status, payload, now_us)
        if effects is None:
            self._upkeep.take(src, exchange, payload, now_us)
            return NOTHING
        return self._armed(effects) if effects else effects
