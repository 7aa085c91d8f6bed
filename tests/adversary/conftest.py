"""A small hand-driven run: every transmission is written by the test, with the protocol's own codecs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pytest

from sessionsim.adversary import Closure, Exchange, Transcript, claims, deduce, exchanges, observe
from sessionsim.core.columns import HEAD_CODE, ROW
from sessionsim.core.intents import Intent
from sessionsim.core.ledger import Fact
from sessionsim.core.nodelist import NodeList
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.view import Table, View
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.groups.authentication import authenticate
from sessionsim.protocol.groups.identity import Group
from sessionsim.protocol.groups.subaccount import signing_value, subaccount_of
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.stored import Message
from sessionsim.protocol.versions.v1 import encode_text, seal_direct
from sessionsim.protocol.wire import rpc, rpc_answers, rpc_node
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.onion import (
    STYLES,
    TO_NODE,
    Hop,
    decode_client_request,
    decode_inner,
    encode_hop,
    open_request,
    seal_answer,
    wrap_request,
)

N_NODES = 16
MEMBERS = {0: (8, 9, 10, 11), 1: (12, 13, 14, 15)}  # inboxes of client 0 and of client 1; 0-7 only relay
ALICE, BOB = N_NODES, N_NODES + 1
EPOCH_MS = 1_777_000_000_000
TTL_MS = 14 * 86_400_000
HARD_FORK = b"[19,3]"


class Stage:
    """Nodes, two accounts, and the rows of what they do. Times advance by a millisecond per transmission."""

    def __init__(self, suite: str = "fast", style: str = "desktop") -> None:
        self.suite, self.style = suite_named(suite), STYLES[style]
        self.body_style = rpc.BODY_STYLES[style]
        eds = [real.ed25519_keypair(bytes([i]) * 32) for i in range(1, N_NODES + 1)]
        self.xs = [real.x25519_of_ed25519(ed) for ed in eds]
        self.nodes = NodeList(
            ed25519=tuple(ed.public for ed in eds),
            x25519=tuple(x.public for x in self.xs),
            swarm=tuple(0 if i < 8 else 1 if i < 12 else 2 for i in range(N_NODES)),
            ip=tuple(0xF0000001 + (i << 16) for i in range(N_NODES)),
            port=(22021,) * N_NODES,
        )
        self.accounts = [account_from_seed(bytes([77 + i]) * 16) for i in range(2)]
        self.keys: list[tuple[str, str, bytes, bytes, int]] = []
        for i, (ed, x) in enumerate(zip(eds, self.xs, strict=True)):
            self.keys += [(f"node:{i}", "ed25519", *ed, -1), (f"node:{i}", "x25519", *x, -1)]
        for account in self.accounts:
            owner = f"account:{account.id_hex}"
            self.keys += [(owner, "ed25519", *account.ed, -1), (owner, "x25519", *account.x, -1)]
        self.records, self.now_us, self.numbers = MemoryRecords(), 0, 0
        self.inboxes: dict[int, list[Message]] = {0: [], 1: []}
        self.plants: dict[str, Callable[[bytes], bytes]] = {}  # what is altered on its way, by place

    def planted(self, place: str, raw: bytes) -> bytes:
        """Give bytes as they are, or as a test has altered them at a place."""
        return self.plants.get(place, bytes)(raw)

    def random(self) -> bytes:
        self.numbers += 1
        return (
            hashlib.blake2b(b"%d" % self.numbers).digest() + hashlib.blake2b(b"+%d" % self.numbers).digest()
        )

    def row(
        self, src: int, dst: int, exchange: int, head: str | int, payload: bytes, lost: bool = False
    ) -> None:
        """Write one transmission. Connections are numbered by their two ends."""
        self.now_us += 1000
        sent = self.now_us
        code = HEAD_CODE[head] if isinstance(head, str) else head
        conn = min(src, dst) * 100 + max(src, dst)
        self.records.buffer += ROW.pack(
            sent, -1 if lost else sent + 500, exchange, 0, src, dst, conn, len(payload), len(payload) + 60,
            self.records.keep(payload), 1, code, 0, int(not isinstance(head, str)),
        )  # fmt: skip

    def request(
        self, client: int, route: Sequence[int], body: bytes, answer: tuple[int, bytes], between: Any = None
    ) -> None:
        """Carry an RPC body along guard, middle, last and destination, and the answer back."""
        secrets = [self.random() for _ in route]
        for secret in secrets:
            pair = self.suite.ephemeral(secret[:32])
            owner = f"account:{self.accounts[client - N_NODES].id_hex}"
            self.keys.append((owner, "x25519", *pair, self.now_us))
        hops = [Hop(self.nodes.ed25519[node].hex().encode(), self.nodes.x25519[node]) for node in route]
        plaintext = encode_frame(self.planted("body", body), self.planted("control", self.style.control))
        payload, layer = wrap_request(self.suite, self.style, hops, plaintext, secrets)
        payload = self.planted("outer", payload)
        self.numbers += 1
        exchange = self.numbers
        links = list(zip((client, *route[:-1]), route, strict=True))
        self.row(client, route[0], exchange, "onion_req", payload)
        ciphertext, ephemeral, enc_type = decode_client_request(payload)
        for hop_no, (src, dst) in enumerate(links[1:], 1):
            _, plaintext = open_request(self.suite, self.xs[src], ephemeral, enc_type, ciphertext)
            inner = decode_inner(plaintext)
            assert inner[0] == TO_NODE
            _, ciphertext, ephemeral, enc_type, _destination = inner  # type: ignore[assignment]
            hop = self.planted("hop", encode_hop(ciphertext, ephemeral, enc_type, hop_no))
            self.row(src, dst, exchange + hop_no, "sn.onion_request", hop)
        if between is not None:
            between(route[-1])
        sealed = seal_answer(layer, answer[0], self.planted("answer", answer[1]), self.random())
        for hop_no, (src, dst) in reversed(list(enumerate(links))):
            self.row(dst, src, exchange + hop_no, 200, sealed)
        self.numbers += len(route)

    def sealed(self, sender: int, recipient: int, body: str = "hello") -> bytes:
        """Make a stored message."""
        sent_ms = EPOCH_MS + self.now_us // 1000
        account, target = self.accounts[sender], self.accounts[recipient]
        content = encode_text(body, sent_ms, sync_target=b"")
        return seal_direct(self.suite, account, target.id, content, sent_ms, self.random())

    def store(
        self, sender: int, recipient: int, route: Sequence[int], *, status: int = 200, replicate: bool = True
    ) -> str:
        """Send a message over a route into the recipient's swarm. Returns its hash."""
        account, data = self.accounts[recipient], self.planted("message", self.sealed(sender, recipient))
        now_ms = EPOCH_MS + self.now_us // 1000
        hash_ = rpc.message_hash(account.id, 0, data)
        call = rpc.store_call(self.body_style, account.id_hex, data, now_ms, TTL_MS)
        body = rpc.batch_body(self.body_style, [call], b"sequence")
        parsed = rpc_node.StoreCall(account.id, 0, now_ms, now_ms + TTL_MS, data, hash_, None, None, 0)
        forward = self.planted("forward", rpc_node.write_forward(parsed))

        def replication(contacted: int) -> None:
            others = [member for member in MEMBERS[recipient] if member != contacted]
            for member in others:
                self.row(contacted, member, self.numbers + 100 + member, "sn.storage_cc", forward)
            for member in others:
                reply = rpc_answers.member_answer(hash_, bytes(64), now_ms + TTL_MS, False)
                self.row(member, contacted, self.numbers + 100 + member, 200, reply)

        entry = rpc_answers.own_entry(hash_, bytes(64), now_ms + TTL_MS, False, now_ms)
        stored = rpc_answers.store_answer(hash_, {"00" * 32: entry}, now_ms, HARD_FORK)
        refused = rpc_answers.text_answer(406, "Clock")
        inner = rpc_answers.batch_answer([stored if status == 200 else refused])
        self.request(N_NODES + sender, route, body, inner[:2], replication if replicate else None)
        if status == 200:
            box = self.inboxes[recipient]
            box.append(Message(len(box), hash_, now_ms, now_ms + TTL_MS, data))
        return hash_

    def poll(
        self,
        client: int,
        route: Sequence[int],
        *,
        forged: bool = False,
        have: str = "",
        signed_ms: int | None = None,
        more: Sequence[rpc.Call] = (),
    ) -> None:
        """Retrieve the client's own inbox over a route.

        Args:
            have: the newest hash that the device says to have of the ordinary box.
            signed_ms: the time that is signed; None for now.
            more: calls that go along; they are answered with no messages.
        """
        account = self.accounts[client]
        now_ms = EPOCH_MS + self.now_us // 1000
        stamp_ms = now_ms if signed_ms is None else signed_ms
        calls = []
        for namespace in (0, 2):
            text = rpc.signed_text("retrieve", namespace, stamp_ms)
            signature = bytes(64) if forged else self.suite.sign(account.ed, text)
            calls.append(
                rpc.retrieve_call(
                    self.body_style,
                    account.id_hex,
                    account.ed.public.hex(),
                    namespace,
                    "" if namespace else have,
                    stamp_ms,
                    signature,
                    -2,
                )
            )
        answers = [
            (200, rpc_answers.retrieve_body(box, False, now_ms, HARD_FORK), True)
            for box in (self.inboxes[client], [], *([] for _ in more))
        ]
        body = rpc.batch_body(self.body_style, [*calls, *more])
        self.request(N_NODES + client, route, body, rpc_answers.batch_answer(answers)[:2])

    def member_poll(self, client: int, group: Group, stamp_ms: int) -> rpc.Call:
        """Write a poll of a group in the name of a member: a token, and a signature by the member's key."""
        value = signing_value(self.suite, group, self.accounts[client].id)
        access = subaccount_of(self.accounts[client], value)
        given = authenticate(self.suite, access, rpc.signed_text("retrieve", 11, stamp_ms))
        fields = {
            "pubkey": group.id.hex(), "namespace": 11, "timestamp": stamp_ms, **given.fields(),
        }  # fmt: skip
        return b"retrieve", orjson.dumps(fields)

    def view(self, operated: Sequence[int] = (), tapped: Sequence[int] = (), name: str = "eve") -> View:
        """See the run from a place."""
        return self.at(Position(frozenset(tapped), frozenset(operated)), name)

    def at(self, position: Position, name: str = "eve") -> View:
        """See the run from any position."""
        columns = zip(*self.keys, strict=True)
        owner, kind, public, secret, made_us = (list(column) for column in columns)
        keys: Table = {
            "owner": np.array(owner, object),
            "kind": np.array(kind, object),
            "public": np.array([key.hex() for key in public], object),
            "secret": np.array([key.hex() for key in secret], object),
            "made_us": np.array(made_us, np.int64),
        }
        owners = {N_NODES + i: f"account:{account.id_hex}" for i, account in enumerate(self.accounts)}
        ends = N_NODES + len(self.accounts)
        endpoints: Table = {
            "endpoint": np.arange(ends),
            "ip": np.array([*self.nodes.ip, *(0xF4000001 + i for i in range(len(self.accounts)))]),
        }
        return observe(
            name, position, self.records.table(), self.records.blobs, keys, self.nodes, self.suite.name,
            owners, endpoints,
        )  # fmt: skip

    def facts(self, operated: Sequence[int] = (), tapped: Sequence[int] = ()) -> list[Fact]:
        return deduce(self.view(operated, tapped))

    def claims(self, *operated: int) -> set[tuple[Any, str, str]]:
        return claims(self.facts(operated))

    def closure(self, *operated: int) -> Closure:
        return Closure(self.view(operated))

    def exchanges(self, *operated: int) -> list[Exchange]:
        return exchanges(self.closure(*operated))

    def address(self, client: int) -> str:
        return f"addr:244.0.0.{client + 1}"

    def account(self, client: int) -> str:
        return f"account:{self.accounts[client].id_hex}"


def pytest_generate_tests(metafunc: Any) -> None:
    if "stage" in metafunc.fixturenames:
        metafunc.parametrize("stage", [("fast", "desktop"), ("sodium", "libsession")], indirect=True)


@pytest.fixture
def stage(request: Any) -> Stage:
    """An empty stage, once per suite and style."""
    return Stage(*request.param)


@pytest.fixture(scope="session")
def make_stage() -> Any:
    """Make further stages."""
    return Stage


HORIZON_US = 25_000_000


@dataclass
class Run:
    world: World
    truth: Truth
    records: MemoryRecords

    @cached_property
    def transcript(self) -> Transcript:
        """Everything that can be read in the run by anybody."""
        return Transcript(self.view((*self.nodes, *self.clients)))

    def view(self, operated: Any, tapped: Any = (), offset: int = 0, rows: Any = None) -> View:
        """See the run, or only some of its rows, from a place."""
        return self.at(Position(frozenset(tapped), frozenset(operated), offset), rows)

    def at(self, position: Position, rows: Any = None) -> View:
        """See the run from any position."""
        world, table = self.world, self.records.table()
        table["row"] = np.arange(len(table["src"]))
        if rows is not None:
            table = {name: values[rows] for name, values in table.items()}
        clients = zip(world.scene.client_endpoints, world.accounts, strict=True)
        owners = {endpoint: f"account:{account.id_hex}" for endpoint, account in clients}
        return observe(
            "eve", position, table,
            self.records.blobs, self.truth.keys, world.nodes, world.spec.suite, owners, world.endpoints,
        )  # fmt: skip

    def facts(self, operated: Any, tapped: Any = (), offset: int = 0, rows: Any = None) -> list[Fact]:
        return deduce(self.view(operated, tapped, offset, rows), self.transcript)

    @property
    def nodes(self) -> range:
        return range(len(self.world.nodes))

    @property
    def clients(self) -> tuple[int, ...]:
        return self.world.scene.client_endpoints


def _perform(platforms: tuple[str, ...], suite: str = "fast") -> Run:
    n = len(platforms)
    intents = tuple(Intent(2_000_000 + 1_500_000 * i, i % n, (i * 3 + 1) % n, f"text {i}") for i in range(8))
    spec = WorldSpec(
        date="2026-04-28", platforms=platforms, intents=tuple(i for i in intents if i.sender != i.recipient),
        horizon_us=HORIZON_US, measured=(0, HORIZON_US), seeds=Seeds(11), epoch_ms=EPOCH_MS, limit_swarms=6,
        suite=suite,
    )  # fmt: skip
    world, records = build(spec), MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))), True)
    return Run(world, truth, records)


@pytest.fixture(scope="session")
def perform() -> Any:
    """Run the real machines for a few seconds: `perform(platforms, suite)`."""
    return _perform
