"""Version 2 in whole worlds against its specification: when keys change, what that costs, what is lost.

Sizes of every table (protocol-v2 2, 4, 7.2, 8.2, 9) stand in `tests/protocol/v2`; here the machines run for
days over real nodes, and what they did is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt
from statistics import fmean, stdev

import numpy as np
import pytest

from sessionsim.core.intents import Device, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN
from sessionsim.network.version2 import V2People, Version2
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.v2 import V2Rules

DEVICES = (1, 2, 4, 8)
ACCOUNTS = 5  # with each number of devices
DAYS = 4
GROUP_BYTES = {1: 13_393, 2: 13_393, 4: 13_393, 8: 24_282}  # protocol-v2 8.2
RECORD_BYTES = 1302  # protocol-v2 4


def count_of(account: int) -> int:
    return DEVICES[account // ACCOUNTS]


def further() -> Iterator[Wish]:
    for account in range(ACCOUNTS * len(DEVICES)):
        for number in range(1, count_of(account)):
            yield Device(0, account, number, ("ios", "android", "desktop")[number % 3])


def spec(days: float) -> WorldSpec:
    """People who write nothing; polls are rare, since what is due reads by itself."""
    seldom = {
        name: replace(
            rules, poll_interval_us=30 * US_PER_MIN, poll_nodes=1, poll_retry_cap_us=30 * US_PER_MIN
        )
        for name, rules in PLATFORMS.items()
    }
    horizon = round(days * US_PER_DAY)
    return WorldSpec(
        date="2026-04-28",
        limit_swarms=12,
        platforms=("desktop",) * (ACCOUNTS * len(DEVICES)),
        intents=tuple(further()),
        horizon_us=horizon,
        measured=(0, horizon),
        seeds=Seeds(11),
        epoch_ms=1_777_000_000_000,
        client_rules=seldom,
        version2=Version2(V2Rules(), V2People()),
    )


@pytest.fixture(scope="module")
def days() -> tuple[World, Truth]:
    world = build(spec(DAYS))
    return world, world.run()


def of_account(world: World, truth: Truth, what: str) -> dict[int, list[int]]:
    """Give the values of an event by account."""
    first, events = len(world.nodes), truth.events
    found: dict[int, list[int]] = {account: [] for account in range(len(world.accounts))}
    chosen = np.flatnonzero(events["what"] == what)
    for endpoint, value in zip(events["endpoint"][chosen], events["value"][chosen], strict=True):
        found[world.seats[int(endpoint) - first].account].append(int(value))
    return found


@pytest.mark.parametrize("devices", DEVICES)
def test_keys_change_after_twelve_hours_with_the_spread_of_the_law(days, devices: int) -> None:
    """protocol-v2 5: mean 12 h, standard deviation 2 h/√12, for any number of devices."""
    ages = of_account(*days, "account keys changed")
    hours = [
        age / US_PER_H for account, found in ages.items() if count_of(account) == devices for age in found
    ]
    n, spread = len(hours), 2 / sqrt(12)
    assert 7 * ACCOUNTS <= n <= 9 * ACCOUNTS
    assert fmean(hours) == pytest.approx(12, abs=3.5 * spread / sqrt(n))
    assert stdev(hours) == pytest.approx(spread, abs=3.5 * spread * sqrt(0.2 / n))
    assert min(hours) >= 11
    assert max(hours) < 13 + 1 / 60


def test_the_mean_over_all_is_twelve_hours(days) -> None:
    hours = [age / US_PER_H for found in of_account(*days, "account keys changed").values() for age in found]
    assert fmean(hours) == pytest.approx(12, abs=3.5 * 2 / sqrt(12) / sqrt(len(hours)))
    assert stdev(hours) == pytest.approx(2 / sqrt(12), abs=3.5 * 2 / sqrt(12) * sqrt(0.2 / len(hours)))


def test_each_change_is_one_push_and_one_record_unless_a_device_key_changes(days) -> None:
    changes = of_account(*days, "account keys changed")
    own = of_account(*days, "device keys changed")
    pushes, records = of_account(*days, "group pushed"), of_account(*days, "record pushed")
    # A device that reads the new group message where the record has not arrived yet publishes it once more.
    again = {account: len(records[account]) - len(changes[account]) for account in changes}
    assert 0 <= min(again.values()) <= max(again.values()) <= 2
    assert sum(again.values()) <= 0.05 * sum(map(len, records.values()))
    for account in changes:
        extra = len(pushes[account]) - len(changes[account])
        assert 0 <= extra <= len(own[account])
        assert set(pushes[account]) == {GROUP_BYTES[count_of(account)]}
    assert not any(of_account(*days, "push failed").values())
    assert not any(of_account(*days, "record foreign").values())


def test_bytes_of_an_account_day_are_those_of_the_cost_model(days) -> None:
    """protocol-v2 13: 29.4 kB uploaded a day and 26.8 kB read by each further device; device keys extra."""
    pushes, records = of_account(*days, "group pushed"), of_account(*days, "record pushed")
    own, read = of_account(*days, "device keys changed"), of_account(*days, "group merged")
    changes = of_account(*days, "account keys changed")
    for devices in DEVICES:
        members = [account for account in pushes if count_of(account) == devices]
        size = GROUP_BYTES[devices]
        account_days = DAYS * len(members)
        uploaded = sum(sum(pushes[k]) + sum(records[k]) for k in members)
        for_devices = size * sum(len(pushes[k]) - len(changes[k]) for k in members)
        # In steady state twice a day: the number of changes varies by one a run, at its ends.
        assert (uploaded - for_devices) / account_days == pytest.approx(2 * (size + RECORD_BYTES), rel=0.1)
        assert for_devices <= size * sum(len(own[k]) for k in members)
        # Every push is read once by every other device, and the last one before the run by all.
        pushed = sum(len(pushes[k]) for k in members)
        expected = size * (pushed * (devices - 1) + len(members) * devices)
        assert sum(sum(read[k]) for k in members) == pytest.approx(expected, rel=0.05)


def test_one_message_and_one_record_lie_in_each_swarm(days) -> None:
    world, _ = days
    swarms = sorted(world.nodes.members)
    now_ms = world.spec.epoch_ms + world.spec.horizon_us // 1000
    for account, keys in enumerate(world.accounts):
        swarm = nearest_swarm(swarm_position(keys.id[1:]), swarms)
        assert swarm is not None
        node = world.machines[world.nodes.members[swarm][0]]
        assert isinstance(node, ServiceNode)
        held = [node.store.retrieve(keys.id, n, "", 0, 10**7, now_ms)[0] for n in (21, -21)]
        assert [[len(one.data) for one in box] for box in held] == [
            [GROUP_BYTES[count_of(account)]], [RECORD_BYTES]
        ]  # fmt: skip


def test_all_devices_of_an_account_hold_the_same_keys_in_the_end(days) -> None:
    world, truth = days
    assert not {"membership displaced", "membership cut off", "membership removed"} & set(
        truth.events["what"]
    )
    assert (truth.events["what"] == "membership in group").sum() == len(world.seats)
