"""Which devices a world has, where they stand, and that they move nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Device, Intent, Presence, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.network.clients import ClientMix, place_clients, place_devices
from sessionsim.network.devices import Seat, seats_of
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client import Client
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire.rpc import Retrieved

KNOWN = {"android", "desktop", "ios"}
SECOND = Device(0, 1, 1, "desktop")


def spec_with(*wishes: Wish, seconds: int = 40, platforms: tuple[str, ...] = ("ios", "android")) -> WorldSpec:
    return WorldSpec(
        date="2026-04-28", platforms=platforms, intents=wishes, horizon_us=seconds * US_PER_S,
        measured=(0, seconds * US_PER_S), seeds=Seeds(5), epoch_ms=1_790_000_000_000, limit_swarms=12,
    )  # fmt: skip


def test_first_devices_come_first_and_further_ones_by_account_and_number() -> None:
    wishes = (Device(0, 2, 1, "ios"), Device(0, 0, 2, "ios"), Device(0, 0, 1, "desktop"))
    assert seats_of(("ios", "android", "desktop"), wishes, KNOWN) == (
        Seat(0, 0, "ios"),
        Seat(1, 0, "android"),
        Seat(2, 0, "desktop"),
        Seat(0, 1, "desktop"),
        Seat(0, 2, "ios"),
        Seat(2, 1, "ios"),
    )


@pytest.mark.parametrize(
    ("wishes", "allowed"),
    [
        ([Device(0, 2, 1, "ios")], "accounts 0..1"),
        ([Device(0, -1, 1, "ios")], "accounts 0..1"),
        ([Device(0, 0, 0, "ios")], "device 1 next"),
        ([Device(0, 0, 2, "ios")], "device 1 next"),
        ([Device(0, 0, 1, "ios"), Device(0, 0, 1, "ios")], "device 2 next"),
        ([Device(0, 0, 1, "amiga")], "one of android, desktop, ios"),
    ],
)
def test_devices_that_cannot_be_are_refused(wishes: list[Wish], allowed: str) -> None:
    with pytest.raises(InvalidInput, match=allowed):
        seats_of(("ios", "android"), wishes, KNOWN)


def test_a_further_device_is_at_home_with_a_line_and_an_address_of_its_own() -> None:
    mix, seeds = ClientMix(), Seeds(3)
    first = place_clients(40, mix, seeds)
    further = place_devices(first, [(account, 1) for account in range(40)], mix, seeds)
    assert [(p.country, p.site) for p in further] == [(p.country, p.site) for p in first]
    assert all(a.down_bit_per_s != b.down_bit_per_s for a, b in zip(first, further, strict=True))
    assert len({place.ip >> 8 for place in (*first, *further)}) == 80
    # It depends on account and number alone: but for its address, it is the same beside fewer others.
    alone = place_devices(first, [(7, 1)], mix, seeds)[0]
    assert replace(alone, ip=further[7].ip) == further[7]
    assert place_devices(first, [(7, 2)], mix, seeds)[0].up_bit_per_s != alone.up_bit_per_s


def test_devices_are_clients_of_one_account_with_chance_and_paths_of_their_own() -> None:
    world = build(spec_with(SECOND))
    machines = [world.machines[end] for end in world.scene.client_endpoints]
    one, other, second = (machine for machine in machines if isinstance(machine, Client))
    assert second.account is other.account is not one.account
    assert second.rules.body_style == "desktop"
    assert second.requests.paths != other.requests.paths
    assert second.entropy.draw(b"x") != other.entropy.draw(b"x")
    scene = world.scene
    assert scene.client_platform == ("ios", "android", "desktop")
    assert scene.client_ids[1] == scene.client_ids[2]
    assert world.endpoint_of[1, 1] == scene.client_endpoints[2]


def test_both_devices_receive_and_each_sees_what_the_other_wrote() -> None:
    texts = (
        Intent(5 * US_PER_S, 0, 1, "to both"),
        Intent(10 * US_PER_S, 1, 0, "from the phone"),
        Intent(15 * US_PER_S, 1, 0, "from the computer", device=1),
        Intent(20 * US_PER_S, 1, 1, "note", device=1),
    )
    world = build(spec_with(SECOND, *texts))
    taken: list[tuple[int, str]] = []
    machines: Any = world.machines
    for end in world.scene.client_endpoints:
        machines[end].takers[0] = _listening(machines[end].takers[0], end, taken)
    truth = world.run()
    one, phone, computer = world.scene.client_endpoints
    assert sorted(taken) == sorted(
        [
            (phone, "to both"),
            (computer, "to both"),
            (one, "from the phone"),
            (computer, "from the phone"),
            (one, "from the computer"),
            (phone, "from the computer"),
            (phone, "note"),
        ]
    )
    assert list(truth.messages["outcome"]) == ["delivered"] * 4
    assert list(truth.devices["account"]) == [0, 1, 1]
    assert list(truth.devices["number"]) == [0, 0, 1]
    assert list(truth.devices["endpoint"]) == [one, phone, computer]
    assert list(truth.devices["platform"]) == ["ios", "android", "desktop"]
    assert all(truth.devices["guards"])


def _listening(take: Any, endpoint: int, taken: list[tuple[int, str]]) -> Any:
    def listen(message: Retrieved, now_us: int) -> list[Effect]:
        effects: list[Effect] = take(message, now_us)
        taken.extend((endpoint, effect[3]) for effect in effects)
        return effects

    return listen


def test_a_device_that_does_nothing_moves_no_message_of_others() -> None:
    texts = tuple(Intent((2 + k) * US_PER_S, k % 3, (k + 1) % 3, f"text {k}") for k in range(9))
    platforms = ("ios", "android", "desktop")
    without = build(spec_with(*texts, platforms=platforms)).run()
    beside = build(spec_with(Device(0, 0, 1, "desktop"), *texts, platforms=platforms)).run()
    others = without.messages["recipient"] != 0
    for column, values in without.messages.items():
        same = others if column == "delivered_us" else slice(None)  # what account 0 gets, it may get sooner
        np.testing.assert_array_equal(values[same], beside.messages[column][same], err_msg=column)
    assert (beside.messages["delivered_us"] <= without.messages["delivered_us"]).all()
    assert list(without.devices["guards"]) == list(beside.devices["guards"])[:3]


def test_presence_is_told_to_the_device_it_names() -> None:
    wishes = (Presence(0, 1, 1, "online", False, 0), Presence(7, 1, 0, "foreground", False, 0))
    world: World = build(spec_with(SECOND, *wishes, seconds=1))
    world.run()
    clients: list[Any] = [world.machines[end] for end in world.scene.client_endpoints]
    found = [(client.presence.online, client.presence.foreground) for client in clients]
    assert found == [(True, True), (True, False), (False, True)]
