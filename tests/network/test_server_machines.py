"""Servers in a small world: asked by real clients over onion paths, in both suites, and when they are off."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, HEADS, Cause, note_of
from sessionsim.core.intents import Reader
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.network.server_machines import room_token
from sessionsim.network.servers import PlacedServer, ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.files.client import download_request, upload_request, uploaded
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire import v4
from sessionsim.protocol.wire.onion import STYLES

PLATFORMS = ("desktop", "android", "ios")


class Asker:
    """A part that asks a server what it is told, and keeps the answers."""

    def __init__(self, client: Client) -> None:
        self.client, self.answers = client, list[tuple[int, bytes]]()
        self._asked = 0

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"ask": self.ask}

    def ask(self, server: PlacedServer, request: ServerRequest, now_us: int) -> list[Effect]:
        self._asked += 1
        payload = v4.encode_request(STYLES[self.client.rules.style], request)
        exchange = self._asked << 4 | Purpose.FILE
        send = self.client.requests.send_to_server
        return [send(exchange, server.address, payload, note_of(Cause.FILE), now_us, self._done)]

    def _done(self, status: int, body: bytes, now_us: int) -> list[Effect]:
        self.answers.append((status, body))
        return []

    def start(self, now_us: int) -> list[Effect]:
        return []

    def wake(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return None


def small(suite: str = "fast", platforms: tuple[str, ...] = PLATFORMS, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28",
        platforms=platforms,
        intents=(),
        horizon_us=60 * US_PER_S,
        measured=(0, 60 * US_PER_S),
        seeds=Seeds(5),
        epoch_ms=1_777_377_600_000,
        limit_swarms=6,
        suite=suite,
    )
    return build(dataclasses.replace(spec, **changed))


def asker(world: World, account: int) -> Asker:
    client = world.machines[len(world.nodes) + account]
    assert isinstance(client, Client)
    part = Asker(client)
    client.add(part)
    return part


def server(world: World, kind: str) -> PlacedServer:
    return next(server for server in world.servers if server.kind == kind)


def upload_and_fetch(world: World) -> tuple[list[tuple[int, bytes]], MemoryRecords]:
    """Let one client of each platform upload a file, and each fetch that of the first."""
    records, askers = MemoryRecords(), [asker(world, k) for k in range(3)]
    file = server(world, "file")
    name = "Cxg_zP4p7_NbIqlFRkvSZUgZe0u_8XAMp3MTUZTjcbhT"
    commands = [
        (US_PER_S, k, ("ask", file, upload_request(b"a file of client %d" % k))) for k in range(3)
    ] + [(20 * US_PER_S, k, ("ask", file, download_request(name))) for k in range(3)]
    world.run(records, frozenset(range(len(world.machines))), keep_bytes=True, commands=commands)
    return [answer for part in askers for answer in part.answers], records


def test_clients_of_all_platforms_reach_the_file_server_over_onion_paths() -> None:
    world = small()
    answers, records = upload_and_fetch(world)
    assert [status for status, _ in answers] == [200, 404] * 3
    ids = [uploaded(ServerAnswer(status, {}, body)).file_id for status, body in answers[::2]]
    assert len(set(ids)) == 3
    assert all(len(name) == 44 for name in ids)
    rows, end = records.table(), server(world, "file").endpoint
    asked = rows["dst"] == end
    posts = asked & (rows["head"] == HEADS.index("lsrpc/v4"))
    assert int(posts.sum()) == 6
    assert np.all(rows["src"][posts] < len(world.nodes))
    # Last hops open connections to the server; nobody else speaks with it.
    assert set(rows["head"][asked].tolist()) == {HEADS.index("lsrpc/v4"), HEADS.index("handshake")}
    assert np.all(rows["transport"][asked] == 0)
    assert set((rows["note"][posts] & CAUSE_MASK).tolist()) == {int(Cause.FILE)}


def test_both_suites_give_the_same_records() -> None:
    first, second = (upload_and_fetch(small(suite))[1].table() for suite in ("fast", "sodium"))
    for column in first:
        if column != "blob":
            assert np.array_equal(first[column], second[column]), column


def test_a_server_that_is_off_is_told_as_unreachable() -> None:
    answers, _ = upload_and_fetch(small(server_rules=ServerRules(off=("file",))))
    assert answers == [(502, b"")] * 6  # the last hop says so in clear; its words are not the server's


def test_a_server_that_does_not_exist_has_no_name() -> None:
    world = small(server_rules=ServerRules(file_in=()))
    part = asker(world, 0)
    gone = dataclasses.replace(server(world, "push"), host="filev2.getsession.org")
    world.run(commands=[(US_PER_S, 0, ("ask", gone, download_request("1")))])
    assert part.answers == [(502, b"")]


def test_communities_have_the_rooms_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessionsim.network.world.check_wishes", lambda wishes, seats: None)
    readers = tuple(Reader(0, 0, room) for room in (0, 1, 2))
    world = small(intents=readers, server_rules=ServerRules(community_in=("DE", "FR")))
    part = asker(world, 0)
    first, second = (one for one in world.servers if one.kind == "community")
    asked = [ServerRequest("GET", f"/room/{room_token(room)}", {}) for room in (0, 1, 2)]
    commands = [
        ((k + 1) * 5 * US_PER_S, 0, ("ask", where, request))
        for k, (where, request) in enumerate((place, one) for place in (first, second) for one in asked)
    ]
    world.run(commands=commands)
    assert [status for status, _ in part.answers] == [200, 404, 200, 404, 200, 404]


def test_the_push_server_refuses_what_is_no_subscription() -> None:
    world = small()
    part = asker(world, 1)
    request = ServerRequest("POST", "/subscribe", {}, b"{}")
    world.run(commands=[(US_PER_S, 1, ("ask", server(world, "push"), request))])
    assert part.answers == [(200, b'{"error":4,"message":"pubkey is missing or no text"}')]


def test_keys_and_addresses_of_servers_are_in_truth_and_scene() -> None:
    world = small()
    truth, places = world.run(), world.endpoints
    owners = truth.keys["owner"].tolist()
    assert owners.count("server:file") == 2
    assert owners.count("server:seed-4") == 2
    found = dict(zip(owners, truth.keys["public"].tolist(), strict=True))
    assert found["server:push"] == server(world, "push").x.public.hex()
    assert world.scene.servers["file"] == (len(world.nodes) + 3,)
    assert places["port"][-17:].tolist() == [80, 443, 443, *[4443] * 5, *[443] * 9]
    assert not places["node"][-17:].any()
