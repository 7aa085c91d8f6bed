"""A client on a table: its effects are taken down, its answers written by hand, its onions peeled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
import pytest

from sessionsim.core.seeds import Entropy, Seeds
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import DESKTOP, PLATFORMS, ClientRules
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import CLOSE, CONNECT, CONNECTED, DELIVER, EVENT, LOG, SEND, WAKE_AT, Effects
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire.active_nodes import write_active_nodes
from sessionsim.protocol.wire.onion import (
    FINAL,
    Hop,
    decode_client_request,
    decode_inner,
    open_request,
    seal_answer,
)
from sessionsim.protocol.wire.rpc_answers import info_body, swarm_body
from tests.protocol.client.stores import held

OWN, FRIEND, STRANGER = (account_from_seed(bytes([i]) * 16) for i in (1, 2, 3))
EPOCH_MS = 1_777_000_000_000
OTHER_SWARM_ID = 1 << 63
EVERY = pytest.mark.parametrize("rules", PLATFORMS.values(), ids=list(PLATFORMS))


class Asked(NamedTuple):
    """A request as its last node reads it. One without an onion has no layer, and its receiver as guard; a
    mere connection has no payload either."""

    guard: int
    conn: int
    exchange: int
    note: int
    route: tuple[int, ...]
    body: dict[str, Any]
    layer: Layer | None
    payload: bytes
    head: str = "onion_req"

    @property
    def method(self) -> str:
        return str(self.body["method"]) if self.payload else "connect"

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [call["params"] for call in self.body["params"]["requests"]]


class Table:
    """A client on a table: its effects are taken down, its answers written by hand."""

    def __init__(
        self,
        world: Any,
        rules: ClientRules = DESKTOP,
        entropy: Entropy | None = None,
        account: Account = OWN,
        seeds: tuple[int, ...] = (),
        merges: bool = False,
    ) -> None:
        if not merges:  # Android's wait of 100 ms before every batch would stand between all tests and it
            rules = replace(rules, merge_window_us=0)
        self.world, self.rules = world, rules
        hops = tuple(
            Hop(pair.public.hex().encode(), x.public) for pair, x in zip(world.ed, world.x, strict=True)
        )
        self.client = Client(
            account, world.nodes, hops, rules, world.suite, entropy or Seeds(4).entropy("client"), EPOCH_MS,
            Profile("Ann", "", b"", 0), seeds,
        )  # fmt: skip
        self.asked: list[Asked] = []
        self.delivered: list[tuple[Any, ...]] = []
        self.logs: list[tuple[Any, ...]] = []
        self.events: list[tuple[Any, ...]] = []
        self.closed: list[tuple[int, int]] = []
        self.wake_us: int | None = None

    def take(self, effects: Effects) -> list[Asked]:
        """Take down effects; give the requests among them."""
        new = []
        for effect in effects:
            if effect[0] == WAKE_AT:
                self.wake_us = effect[1]
            elif effect[0] == DELIVER:
                self.delivered.append(tuple(effect[1:]))
            elif effect[0] == LOG:
                if effect[1] != "written":
                    self.logs.append(tuple(effect[1:]))
            elif effect[0] == EVENT:
                self.events.append(tuple(effect[1:]))
            elif effect[0] == CLOSE:
                self.closed.append(effect[1:])
            elif effect[0] == CONNECT:
                new.append(Asked(*effect[1:5], effect[1:2], {}, None, b"", ""))
            else:
                assert effect[0] == SEND
                new.append(self._peel(effect))
        self.asked += new
        return new

    def _peel(self, effect: tuple[Any, ...]) -> Asked:
        _, guard, conn, exchange, head, payload, note = effect
        if head != "onion_req":
            body = orjson.loads(payload) if payload[:1] == b"{" else {"method": payload}
            return Asked(guard, conn, exchange, note, (guard,), body, None, payload, head)
        route = [guard]
        blob, ephemeral, enc_type = decode_client_request(payload)
        while True:
            layer, text = open_request(self.world.suite, self.world.x[route[-1]], ephemeral, enc_type, blob)
            inner: Any = decode_inner(text)
            if inner[0] == FINAL:
                return Asked(
                    guard, conn, exchange, note, tuple(route), orjson.loads(inner[1]), layer, payload
                )
            _, blob, ephemeral, enc_type, destination = inner
            route.append(self.world.nodes.index[destination])

    def start(self, now_us: int = 0) -> int:
        """Start; give when the first poll is due."""
        assert self.take(self.client.start(now_us)) == []
        assert self.wake_us is not None
        return self.wake_us

    def wake(self) -> tuple[int, list[Asked]]:
        """Let the pending wake happen."""
        assert self.wake_us is not None
        now, self.wake_us = self.wake_us, None
        return now, self.take(self.client.wake(now))

    def answer(self, asked: Asked, status: int, body: bytes, now_us: int) -> list[Asked]:
        """Answer as the last node of the route does."""
        if asked.layer is None:
            return self.raw(asked, status, body, now_us)
        return self.raw(asked, 200, seal_answer(asked.layer, status, body, bytes(24)), now_us)

    def raw(self, asked: Asked, head: int, payload: bytes, now_us: int) -> list[Asked]:
        return self.take(self.client.receive(asked.guard, asked.conn, asked.exchange, head, payload, now_us))

    def command(self, now_us: int, *command: Any) -> list[Asked]:
        return self.take(self.client.command(command, now_us))

    def natural(self, asked: Asked, now_us: int) -> list[Asked]:
        """Answer as an honest node with nothing stored does."""
        if not asked.payload:
            return self.raw(asked, CONNECTED, b"", now_us)
        return self.answer(asked, 200, honest(self.world, asked), now_us)

    def polling(self) -> tuple[int, list[Asked]]:
        """Start, get past the lookup; give the time and the requests of the first poll."""
        self.start()
        now, asked = self.wake()
        if asked[0].method == "get_swarm":
            asked = self.natural(asked[0], now)
        return now, asked


def swarm_of(world: Any, account: Account) -> int:
    swarm = nearest_swarm(swarm_position(account.id[1:]), sorted(world.nodes.members))
    assert swarm is not None
    return swarm


def honest(world: Any, asked: Asked) -> bytes:
    if asked.layer is None and b"active_nodes_bin" in asked.payload:
        return write_active_nodes(world.nodes, (2, 11, 3))
    if asked.method == "get_swarm":
        account_id = asked.body["params"].get("pubkey") or asked.body["params"]["pubKey"]
        account = next(a for a in (OWN, FRIEND, STRANGER) if a.id_hex == account_id)
        return swarm_body(world.nodes, swarm_of(world, account), 0, b"[19,3]")
    if asked.method == "info":
        return info_body((2, 11, 3), EPOCH_MS, b"[19,3]")
    if asked.method == "store":
        return orjson.dumps(held(world.suite, world.ed[:2]))
    results = [batched(200, {"messages": [], "more": False} if "last_hash" in c else {}) for c in asked.calls]
    return orjson.dumps({"results": results})


def batched(code: int, body: Any) -> dict[str, Any]:
    return {"code": code, "body": body}


def named(world: Any, nodes: Iterable[int]) -> dict[str, Any]:
    return {"snodes": [{"pubkey_ed25519": world.nodes.ed25519[node].hex()} for node in nodes]}
