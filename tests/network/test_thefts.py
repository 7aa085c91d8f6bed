"""What a swarm still holds when a thief asks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionsim.core.scene import Position, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.network.membership import History
from sessionsim.network.thefts import Thefts, thefts_of
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

EPOCH_MS, THEFT_US = 1_777_000_000_000, 10 * US_PER_S
THEFT_MS = EPOCH_MS + THEFT_US // US_PER_MS


class Clock:
    """Calls at once, and takes down when it was to be."""

    def at(self, t_us: int, act: Callable[[int], None]) -> None:
        act(t_us)


@pytest.fixture
def world() -> World:
    return build(
        WorldSpec(
            date="2026-04-28", limit_swarms=3, platforms=("desktop",) * 2, intents=(),
            horizon_us=US_PER_S, measured=(0, US_PER_S), seeds=Seeds(5), epoch_ms=EPOCH_MS, suite="fast",
        )
    )  # fmt: skip


def members(world: World, account: bytes) -> tuple[int, ...]:
    swarm = nearest_swarm(swarm_position(account[1:]), world.nodes.swarm_ids)
    assert swarm is not None
    return world.nodes.members[swarm]


def put(world: World, node: int, account: bytes, namespace: int, name: str, expiry_ms: int) -> None:
    machine = world.machines[node]
    assert isinstance(machine, ServiceNode)
    machine.store.store(account, namespace, name, EPOCH_MS, expiry_ms, name.encode(), EPOCH_MS)


def stolen(world: World, fetches: bool = True) -> list[bytes]:
    taking = Taking(world.scene.client_endpoints[1], THEFT_US, stays=False, fetches=fetches)
    found = thefts_of([Position(taken=frozenset({taking}))], world.scene, EPOCH_MS)
    if found is None:
        return []
    found.begin(Clock(), world.machines, world.nodes, History((), ()))
    hauls = found.hauls()
    assert set(hauls["t_us"].tolist()) <= {THEFT_US}
    assert set(hauls["account"].tolist()) <= {world.accounts[1].id_hex}
    return [bytes.fromhex(data) for data in hauls["data"].tolist()]


def test_what_lies_there_is_got_once_and_what_has_expired_is_not(world: World) -> None:
    own, other = (world.accounts[k].id for k in (1, 0))
    one, two, *_ = members(world, own)
    outside = next(node for node in world.nodes.active if node not in members(world, own))
    before = set(stolen(world))
    put(world, one, own, 0, "one", THEFT_MS + 1)
    put(world, two, own, 0, "one", THEFT_MS + 1)
    put(world, two, own, 3, "two", THEFT_MS + 1)
    put(world, one, own, 0, "over", THEFT_MS)
    put(world, outside, own, 0, "outside", THEFT_MS + 1)
    put(world, one, other, 0, "other", THEFT_MS + 1)
    got = stolen(world)
    assert len(got) == len(set(got))
    assert set(got) - before == {b"one", b"two"}


def test_who_does_not_ask_gets_nothing(world: World) -> None:
    put(world, members(world, world.accounts[1].id)[0], world.accounts[1].id, 0, "one", THEFT_MS + 1)
    assert stolen(world, fetches=False) == []
    assert not Thefts([Position(operated=frozenset(world.nodes.active))], world.scene, EPOCH_MS)
