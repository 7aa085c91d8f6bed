"""Idle polls in bulk of clients that have their configs kept longer at each poll."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessionsim.core.intents import ConfigChange, Device, order_of
from sessionsim.core.records import MemoryRecords
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.core.view import Table
from sessionsim.network.host import Host
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.configs.rules import PLATFORMS as CONFIG_RULES
from sessionsim.protocol.snode import ServiceNode
from tests.network.test_trains import assert_same_records, assert_same_truth, carried, spec

S = US_PER_S
CHANGES = (
    ConfigChange(70 * S, 0, "profile", "name", 1),
    ConfigChange(130 * S, 1, "contacts", "contact", 2),
    ConfigChange(250 * S, 2, "profile", "name", 3),
)


def run(given: WorldSpec, how: str, watched: frozenset[int] = frozenset()) -> tuple[World, Truth, Table]:
    world, records = build(replace(given, idle_polls=how)), MemoryRecords()
    truth = world.run(records, watched, keep_bytes=True)
    return world, truth, records.table()


def with_changes(seed: int, *more: object, minutes: int = 6) -> WorldSpec:
    plain = spec(seed, 6)
    wishes = tuple(sorted((*plain.intents, *CHANGES, *more), key=order_of))
    return replace(plain, intents=wishes, horizon_us=minutes * US_PER_MIN, measured=(0, minutes * US_PER_MIN))


def expiries(world: World) -> list[tuple[int, str, int]]:
    """Node, hash and expiry of everything that is stored."""
    return [
        (node, held.message.hash, held.message.expiry_ms)
        for node, machine in enumerate(world.machines)
        if isinstance(machine, ServiceNode)
        for held in machine.store.everything()
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_outcomes_records_and_stored_expiries_are_those_of_carrying_out_each_poll(seed: int) -> None:
    given = with_changes(seed)
    each, bulk = (run(given, how, frozenset({3, 11})) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert expiries(each[0]) == expiries(bulk[0])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_nothing_is_left_out_of_the_count() -> None:
    each, bulk = (run(with_changes(3), how) for how in ("each", "bulk"))
    assert isinstance(each[0].host, Host)
    assert carried(bulk[0]) == each[0].host.transmissions
    assert bulk[0].trains is not None
    assert bulk[0].trains.transmissions > 12 * bulk[0].trains.polls  # the swarm hears of most
    assert expiries(each[0]) == expiries(bulk[0])


def test_what_is_kept_long_already_is_not_kept_longer() -> None:
    # A day of life is asked for, and the configs have more than that; so nodes say that nothing has changed.
    rules = {name: replace(one, extension_us=US_PER_DAY) for name, one in CONFIG_RULES.items()}
    given = replace(with_changes(4), config_rules=rules)
    each, bulk = (run(given, how) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert expiries(each[0]) == expiries(bulk[0])
    assert carried(bulk[0]) == each[0].host.transmissions
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_two_devices_that_extend_the_same_find_each_other_in_time() -> None:
    given = with_changes(5, Device(0, 0, 1, "android"), Device(0, 3, 1, "desktop"), minutes=4)
    each, bulk = (run(given, how, frozenset({3, 11})) for how in ("each", "bulk"))
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert expiries(each[0]) == expiries(bulk[0])
