"""A device without network: nothing in, nothing out, and afterwards all that was due and wanted."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client import DESKTOP
from sessionsim.protocol.client.coming import ComingClient
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.machine import SEND, WAKE_AT
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire.onion import Hop

ANN, BEN = (account_from_seed(bytes([k]) * 16) for k in (1, 2))
HOUR_US = 3600 * US_PER_S


@pytest.fixture
def client(make_world: Any) -> ComingClient:
    world = make_world()
    hops = tuple(Hop(pair.public.hex().encode(), x.public) for pair, x in zip(world.ed, world.x, strict=True))
    return ComingClient(
        ANN, world.nodes, hops, DESKTOP, world.suite, Seeds(3).entropy("client"), 1_777_000_000_000,
        Profile("Ann", "", b"", 0),
    )  # fmt: skip


def of(effects: Any, kind: int) -> list[Any]:
    return [effect for effect in effects if effect[0] == kind]


def first_request(client: ComingClient) -> tuple[int, Any]:
    (wake,) = of(client.start(0), WAKE_AT)
    requests = of(client.wake(wake[1]), SEND)
    assert requests
    return wake[1], requests[0]


def test_a_client_is_online_until_told_otherwise(client: ComingClient) -> None:
    first_request(client)
    assert client.command(("online", True), 10 * US_PER_S) == ()


def test_offline_it_neither_hears_nor_acts(client: ComingClient) -> None:
    now, (_, guard, conn, exchange, *_rest) = first_request(client)
    assert client.command(("online", False), now + 1) == ()
    assert client.receive(guard, conn, exchange, 200, b"answer", now + 2) == ()
    assert client.failed(guard, conn, exchange, "unreachable", now + 2) == ()
    assert client.wake(now + HOUR_US) == ()
    assert client.command(("poll",), now + HOUR_US) == ()


def test_back_online_it_gives_up_what_was_under_way_and_polls(client: ComingClient) -> None:
    now, _ = first_request(client)
    client.command(("online", False), now + 1)
    effects = client.command(("online", True), now + HOUR_US)
    assert of(effects, SEND)  # the lookup is tried again
    assert of(effects, WAKE_AT)[-1][1] > now + HOUR_US


def test_what_was_wanted_meanwhile_is_done_then_and_once(client: ComingClient) -> None:
    now, _ = first_request(client)
    client.command(("online", False), now + 1)
    assert client.command(("send", 0, BEN.id, "hello"), now + 5) == ()
    client.command(("online", False), now + 6)
    before = of(client.command(("online", True), now + HOUR_US), SEND)
    assert list(client.outbox.pending()) == [0]
    client.command(("online", False), now + HOUR_US + 1)
    after = of(client.command(("online", True), now + 2 * HOUR_US), SEND)
    assert before
    assert after
    assert list(client.outbox.pending()) == [0]


class _Back:
    """A part that has something to do when its device is back."""

    def __init__(self) -> None:
        self.commands: dict[str, Any] = {}
        self.times: list[int] = []

    def start(self, now_us: int) -> list[Any]:
        return []

    def wake(self, now_us: int) -> list[Any]:
        return []

    def next_due_us(self) -> None:
        return None

    def back(self, now_us: int) -> list[Any]:
        self.times.append(now_us)
        return [("did", "it")]


def test_parts_that_wait_for_the_return_are_told_of_it(client: ComingClient) -> None:
    part = _Back()
    client.add(part)
    first_request(client)
    client.command(("online", True), 20 * US_PER_S)  # it was online
    client.command(("online", False), 30 * US_PER_S)
    assert ("did", "it") in client.command(("online", True), HOUR_US)
    assert part.times == [HOUR_US]


def test_the_clock_runs_offline_too(client: ComingClient) -> None:
    first_request(client)
    client.command(("online", False), 20 * US_PER_S)
    client.command(("clock", 5 * US_PER_S), 30 * US_PER_S)
    assert client.wire_ms(0) == 1_777_000_005_000
