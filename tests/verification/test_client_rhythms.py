"""How often clients ask for something, against hand calculations from client-behaviour 6.1 and transport 4.

Idle clients of each platform over real nodes. With r the mean time that a round of polls takes:

    requests of a client in two hours           desktop         Android                 iOS
    polls                                       2 x 7200/(5+r)  7200/(2+0.1+r)          7200/(1.5+r)
    tests of new paths, every 10 min of each    0               2 paths x 12 = 24       4 paths x 12 = 48
    node list, from three nodes                 hourly: 6       every two hours: 3      every two hours: 3
    its swarm                                   1               1                       0, it is computed
    tests of guards                             0               0                       0, none was lost
    newest version, daily or every four hours   2/24            2/4                     2/4

Clients with people, a group, a room and pushes are counted by kind further below.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import Cause, split_note
from sessionsim.core.intents import Group, GroupText, Intent, Presence, Reader
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS as PUSH_PLATFORMS
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.client.update_rules import PLATFORMS as UPDATES

NAMES = ("desktop", "android", "ios")
PAUSES_S = {"desktop": 5.0, "android": 2.1, "ios": 1.5}


def world_of(each: int, horizon_us: int, intents: tuple[Any, ...] = (), **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES * each, intents=intents, horizon_us=horizon_us,
        measured=(0, horizon_us), seeds=Seeds(3), epoch_ms=1_777_377_600_000, limit_swarms=10, suite="fast",
        idle_polls="bulk",
    )  # fmt: skip
    return build(replace(spec, **changed))


def clients_of(world: World, name: str) -> list[int]:
    first = len(world.nodes)
    return [end for end in world.scene.client_endpoints if world.scene.client_platform[end - first] == name]


def rounds_us(world: World) -> dict[int, list[tuple[int, int]]]:
    """Run, watching all clients: when each round of polls of each client began and ended."""
    clients, records = world.scene.client_endpoints, MemoryRecords()
    world.run(records, frozenset(clients))
    rows = records.table()
    is_poll = split_note(rows["note"])[0] == Cause.POLL
    found: dict[int, list[tuple[int, int]]] = {}
    for client in clients:
        asked = np.sort(rows["t_sent_us"][is_poll & (rows["src"] == client) & (rows["direction"] == 0)])
        answered = np.sort(rows["t_recv_us"][is_poll & (rows["dst"] == client) & (rows["direction"] == 1)])
        # Requests of one round leave within the time that a connection takes to open.
        begins = [int(asked[0]), *(int(t_us) for t_us in asked[1:][np.diff(asked) > US_PER_S])]
        ends = np.searchsorted(answered, begins[1:]) - 1
        found[client] = [(a, int(answered[k])) for a, k in zip(begins, ends, strict=False)]
    return found


@pytest.fixture(scope="module")
def watched() -> tuple[World, dict[int, list[tuple[int, int]]]]:
    world = world_of(20, US_PER_MIN)
    return world, rounds_us(world)


@pytest.mark.parametrize("name", NAMES)
def test_a_round_follows_the_one_before_after_the_pause_of_the_platform(watched, name: str) -> None:
    world, found = watched
    pauses = [
        (after - end) / US_PER_S
        for client, rounds in found.items()
        if world.machines[client].rules is world.spec.client_rules[name]
        for (_, end), (after, _) in pairwise(rounds)
    ]
    assert len(pauses) > 100
    assert np.quantile(pauses, 0.5) == pytest.approx(PAUSES_S[name], abs=0.001)
    # What is new of connections now and then comes on top.
    assert min(pauses) == pytest.approx(PAUSES_S[name], abs=0.001)


@pytest.mark.parametrize("name", NAMES)
def test_the_wait_of_a_message_for_the_next_poll_is_uniform_within_a_round(watched, name: str) -> None:
    """At moments that know nothing of the client, the part of its cycle still to come is uniform.

    Kolmogorov and Smirnov over 20 clients at three moments: beyond 1.63 / sqrt(60) in one of a hundred.
    """
    world, found = watched
    parts = []
    for moment_us in (20 * US_PER_S, 31_700_000, 44_100_000):
        for client, rounds in found.items():
            if world.machines[client].rules is world.spec.client_rules[name]:
                begins = np.array([begin for begin, _ in rounds])
                k = int(np.searchsorted(begins, moment_us))
                parts.append((begins[k] - moment_us) / (begins[k] - begins[k - 1]))
    n = len(parts)
    assert n == 60
    gaps = np.abs(np.sort(parts) - (np.arange(n) + 0.5) / n) + 0.5 / n
    assert gaps.max() < 1.63 / np.sqrt(n)


def test_requests_in_two_hours_are_those_of_the_hand_calculation() -> None:
    each = 12
    rounds = rounds_us(world_of(each, US_PER_MIN))
    world = world_of(each, 2 * US_PER_H, update_rules=UPDATES)
    events = world.run().events
    checked = events["endpoint"][events["what"] == "version-checked"].tolist()
    expected = {"desktop": (0, 6), "android": (24, 3), "ios": (48, 3)}
    polls: dict[str, list[float]] = {name: [] for name in NAMES}
    lists: dict[str, list[int]] = {name: [] for name in NAMES}
    for client in world.scene.client_endpoints:
        machine: Any = world.machines[client]
        name = world.scene.client_platform[client - len(world.nodes)]
        takes_s = np.mean([end - begin for begin, end in rounds[client]]) / US_PER_S
        polls[name].append(machine._poller._polls / (7200 / (PAUSES_S[name] + takes_s)))
        lists[name].append(machine.node_list._asked)
        assert machine.rotation._tests == expected[name][0]
        assert machine.builder._tests == 0
    assert lists["desktop"] == [expected["desktop"][1]] * each
    assert lists["android"] == [expected["android"][1]] * each
    # iOS asks with the next path it builds, which in the last minutes may be one after the end.
    assert set(lists["ios"]) <= {0, expected["ios"][1]}
    assert lists["ios"].count(0) <= 2
    # Each asks once or not at all, by its phase: within three standard deviations of the binomial law.
    for name, share in (("desktop", 2 / 24), ("android", 2 / 4), ("ios", 2 / 4)):
        asked = [checked.count(client) for client in clients_of(world, name)]
        assert set(asked) <= {0, 1}
        assert abs(sum(asked) - each * share) < 3 * np.sqrt(each * share * (1 - share))
    for name in NAMES:
        # Later paths of a client are faster or slower than those of its first minute, by which r is taken.
        assert polls[name] == pytest.approx([1.0] * each, rel=0.1)
        assert np.mean(polls[name]) == pytest.approx(1.0, rel=0.03)


def test_android_in_the_background_polls_every_quarter_of_an_hour() -> None:
    """Four rounds an hour and device: 1/380 of what it makes in front."""
    each = 8
    asleep = tuple(Presence(0, 3 * k + 1, 0, "foreground", False, 0) for k in range(each))
    world = world_of(each, 2 * US_PER_H, asleep)
    world.run()
    for k in range(each):
        machine: Any = world.machines[len(world.nodes) + 3 * k + 1]
        assert machine.rules is PLATFORMS["android"]
        assert machine._poller._polls == 8


# --- everything a client asks for in an hour, by kind -------------------------------------------------------

TOLD = 4  # texts of each client to the next one
# Pauses in seconds: own account, group, room. iOS polls a group after 3 to 30 s, by the time since it was
# last active over 12 h; here that is 10 min on average: 3 + 27 * 10 / 720 s.
HOUR_PAUSES = {"desktop": (5.0, 5.0, 10.0), "android": (2.1, 2.1, 4.0), "ios": (1.5, 3.375, 4.0)}
# Requests that no clock of these makes, in the third of an hour, by kind: texts, copies of them for the own
# account, texts to the group, lookups of swarms (own, recipient, group), tests of paths (every ten minutes of
# each of two or four), tests of guards, subscriptions at the push server (own account, group).
HOUR_COUNTS = {
    "desktop": {"SEND": 4, "SYNC": 4, "GROUP": 1, "LOOKUP": 3, "PATH_TEST": 0, "GUARD_TEST": 0, "PUSH": 0},
    "android": {"SEND": 4, "SYNC": 4, "GROUP": 1, "LOOKUP": 3, "PATH_TEST": 4, "GUARD_TEST": 0, "PUSH": 2},
    "ios": {"SEND": 4, "SYNC": 4, "GROUP": 1, "LOOKUP": 0, "PATH_TEST": 8, "GUARD_TEST": 0, "PUSH": 2},
}
# Version checks, by phase: 20 min of a day or of four hours.
HOUR_CHECKS = {0, 1}
# The list is due five minutes after desktop has started; phones ran before: at some time of two hours.
HOUR_LISTS = {"desktop": {3}, "android": {0, 3}, "ios": {0, 3}}


def test_requests_of_an_hour_by_kind_are_those_of_the_hand_calculation() -> None:
    """Clients with a contact, a group, a room and, on phones, fast mode; all requests to guards are counted.

    A round takes r from its first request to its last answer, so in T there are T / (pause + r) rounds, on
    desktop of two requests to each of two swarms. Nothing else may be asked.
    """
    horizon_us, n = 20 * US_PER_MIN, 6
    wishes: list[Any] = [Group(0, 0, 0, tuple(range(n)), "all"), *(Reader(0, k, 0) for k in range(n))]
    for k in range(n):
        wishes.append(GroupText((10 + k) * US_PER_S, k, 0, "hello", 0))
        wishes += [
            Intent((60 + 200 * i + 7 * k) * US_PER_S, k, (k + 1) % n, f"text {i}", i) for i in range(TOLD)
        ]
    wishes.sort(key=lambda wish: wish.t_us)
    push = {
        name: replace(rules, fast_prob=float(name != "desktop")) for name, rules in PUSH_PLATFORMS.items()
    }
    # Of few swarms some would be shared, and Android puts requests to one node together.
    world = world_of(2, horizon_us, tuple(wishes), push_rules=push, limit_swarms=60, update_rules=UPDATES)
    clients, records = world.scene.client_endpoints, MemoryRecords()
    truth = world.run(records, frozenset(clients))
    assert set(truth.messages["outcome"].tolist()) <= {"delivered", "waiting"}
    rows = records.table()
    kind = np.array([Purpose(int(exchange) & 15).name for exchange in rows["exchange"]])
    ordinary = ~np.isin(split_note(rows["note"])[0], (Cause.HANDSHAKE, Cause.KEEPALIVE))
    to_guards = ordinary & (rows["dst"] < len(world.nodes)) & (rows["direction"] == 0)
    from_guards = ordinary & (rows["src"] < len(world.nodes)) & (rows["direction"] == 1)
    for k, client in enumerate(clients):
        name = NAMES[k % 3]
        asked = to_guards & (rows["src"] == client)
        counts = Counter(kind[asked].tolist())
        for what, pause_s in zip(("POLL", "GROUP_POLL", "COMMUNITY"), HOUR_PAUSES[name], strict=True):
            # Desktop polls its account and an active group in one round, the first perhaps without the group.
            joint = name == "desktop" and what != "COMMUNITY"
            its = np.isin(kind, ("POLL", "GROUP_POLL")) if joint else kind == what
            # What is sent first may have waited for its connection, less than a second.
            since_us = rows["t_sent_us"][asked & (kind == "GROUP_POLL")].min() - US_PER_S if joint else 0
            its &= rows["t_sent_us"] >= since_us
            begun = np.sort(rows["t_sent_us"][asked & its])
            ended = np.sort(rows["t_recv_us"][from_guards & (rows["dst"] == client) & its])
            at_once = 4 if joint else 1
            rounds = len(ended) // at_once - 1
            took_us = np.mean(ended[at_once - 1 :: at_once][:rounds] - begun[::at_once][:rounds])
            each = 2 if joint else 1
            expected = each * horizon_us / (pause_s * US_PER_S + took_us)
            assert counts.pop(what) == pytest.approx(expected, rel=0.02, abs=2 * each), (name, what)
        assert counts.pop("NODE_LIST", 0) in HOUR_LISTS[name]
        assert counts.pop("FILE", 0) in HOUR_CHECKS
        assert {what: counts.pop(what, 0) for what in HOUR_COUNTS[name]} == HOUR_COUNTS[name], name
        assert not counts, name
