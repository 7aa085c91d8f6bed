"""The media of calls in a small world: who sees whose address, and how much is said."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import HEADS, Transport
from sessionsim.core.intents import Call
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import Table
from sessionsim.network.call_media import media_commands
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.calls import CallMedia, MediaRules
from sessionsim.protocol.client.machine import Client

S = US_PER_S
ENDPOINTS = {(0, 0): 50, (1, 0): 51, (0, 1): 52}
TURNS = (90, 91, 92, 93, 94)
ANSWERED = Call(10 * S, 0, 1, 0, "answered", 5 * S, 20 * S, ())
MISSED = Call(10 * S, 0, 1, 1, "missed", 30 * S, 0, ())
UDP = int(Transport.UDP)


def commands(*calls: Call, seed: int = 1, **rules: Any) -> list[tuple[int, int, tuple[Any, ...]]]:
    return list(media_commands(calls, ENDPOINTS, TURNS, MediaRules(**rules), Seeds(seed)))


def test_both_sides_of_an_answered_call_gather_and_talk() -> None:
    ours, theirs = commands(ANSWERED)
    assert (ours[0], ours[1], ours[2][:2], ours[2][4:]) == (10 * S, 50, ("call-media", 51), (5 * S, 20 * S))
    assert (theirs[0], theirs[1], theirs[2][:2], theirs[2][4:]) == (
        15 * S,
        51,
        ("call-media", 50),
        (0, 20 * S),
    )
    assert ours[2][3] == theirs[2][3]  # relayed or not, for both
    for _, _, told in (ours, theirs):
        assert len(set(told[2])) == 2
        assert set(told[2]) <= set(TURNS)


def test_a_call_that_rings_in_vain_shows_the_caller_to_turn_servers_alone() -> None:
    ((t_us, endpoint, told),) = commands(MISSED)
    assert (t_us, endpoint, told[1], told[5]) == (10 * S, 50, 51, 0)


def test_a_call_begins_on_the_device_that_it_was_wished_on() -> None:
    other = dataclasses.replace(ANSWERED, device=1)
    assert [endpoint for _, endpoint, _ in commands(other)] == [52, 51]


def test_each_call_has_luck_of_its_own() -> None:
    many = [dataclasses.replace(ANSWERED, number=k) for k in range(300)]
    relayed = [told[3] for _, endpoint, told in commands(*many) if endpoint == 50]
    assert 30 < sum(relayed) < 90  # a fifth of 300 is 60, three deviations are 21
    asked = [told[2] for _, _, told in commands(*many)]
    assert len(set(asked)) == 20  # every pair of five, in either order
    assert commands(*many)[-2:] == commands(many[-1])
    assert commands(ANSWERED, relayed_prob=0.0)[0][2][3] is False
    assert commands(ANSWERED, relayed_prob=1.0)[0][2][3] is True


def small(**changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28",
        platforms=("desktop", "ios", "android"),
        intents=(),
        horizon_us=60 * S,
        measured=(0, 60 * S),
        seeds=Seeds(5),
        epoch_ms=1_777_377_600_000,
        limit_swarms=6,
    )
    return build(dataclasses.replace(spec, **changed))


def called(relayed: float, **changed: Any) -> tuple[World, Table]:
    """Run one answered call between clients 0 and 1 beside an uninvolved third."""
    world, records, rules = small(**changed), MemoryRecords(), MediaRules(relayed_prob=relayed)
    for machine in world.machines:
        if isinstance(machine, Client):
            machine.add(CallMedia(machine, rules))
    first, turns = len(world.nodes), world.scene.servers.get("turn", ())
    told = media_commands((ANSWERED,), world.endpoint_of, turns, rules, Seeds(5))
    world.run(
        records,
        frozenset(range(len(world.machines))),
        commands=[(t_us, endpoint - first, command) for t_us, endpoint, command in told],
    )
    rows = records.table()
    media = rows["transport"] == UDP
    return world, {name: values[media] for name, values in rows.items()}


def test_a_direct_call_shows_each_side_the_others_address() -> None:
    world, rows = called(0.0)
    first, turns = len(world.nodes), set(world.scene.servers["turn"])
    spoken = rows["head"] == HEADS.index("media")
    pairs = set(zip(rows["src"][spoken].tolist(), rows["dst"][spoken].tolist(), strict=True))
    assert pairs == {(first, first + 1), (first + 1, first)}
    asked = rows["head"] == HEADS.index("turn_allocate")
    assert set(rows["src"][asked].tolist()) == {first, first + 1}
    assert set(rows["dst"][asked].tolist()) <= turns
    assert asked.sum() == 4
    # 20 s of 36 kbit/s, in transmissions of a second, and one check, each way.
    said = rows["app_bytes"][spoken & (rows["src"] == first)]
    assert sorted(said.tolist()) == [100, *[4_500] * 20]
    assert set(rows["segments"][spoken].tolist()) == {2, 50}
    times = rows["t_sent_us"][spoken & (rows["app_bytes"] == 4_500) & (rows["src"] == first + 1)]
    assert np.all(np.diff(times)[1:] == S)
    assert 15 * S < times[0] < times[1] == 16 * S  # the first waits until the way is open


def test_a_relayed_call_goes_through_a_turn_server_and_yet_tries_the_direct_way() -> None:
    world, rows = called(1.0)
    first, turns = len(world.nodes), set(world.scene.servers["turn"])
    said = (rows["head"] == HEADS.index("media")) & (rows["app_bytes"] > 1_000)
    assert {end for end in rows["src"][said].tolist() if end < min(turns)} == {first, first + 1}
    direct = said & ~np.isin(rows["src"], list(turns)) & ~np.isin(rows["dst"], list(turns))
    assert not direct.any()
    assert (said & np.isin(rows["src"], list(turns))).sum() == 40  # what came in went out
    checks = (rows["head"] == HEADS.index("media")) & (rows["app_bytes"] == 100)
    assert checks.sum() == 2


def test_who_takes_no_part_has_no_media() -> None:
    world, rows = called(0.0)
    third = len(world.nodes) + 2
    assert not ((rows["src"] == third) | (rows["dst"] == third)).any()


@pytest.mark.parametrize("rules", [ServerRules(off=("turn",)), ServerRules(turn_in=())])
def test_without_turn_servers_direct_calls_go_on(rules: ServerRules) -> None:
    world, rows = called(0.0, server_rules=rules)
    first = len(world.nodes)
    said = (rows["head"] == HEADS.index("media")) & (rows["src"] == first)
    assert said.sum() == 21


def test_relayed_calls_are_silent_when_turn_is_off() -> None:
    world, rows = called(1.0, server_rules=ServerRules(off=("turn",)))
    arrived = (
        (rows["head"] == HEADS.index("media")) & (rows["dst"] == len(world.nodes)) & (rows["t_recv_us"] >= 0)
    )
    assert (arrived & (rows["app_bytes"] > 1_000)).sum() == 0
