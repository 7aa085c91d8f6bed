"""Idle polls in bulk give what carrying out each of them gives: outcomes, times, records of watched links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.core.view import Table
from sessionsim.network import trains
from sessionsim.network.faults import KINDS, Fault
from sessionsim.network.host import Host
from sessionsim.network.links import LinkRules
from sessionsim.network.membership import MembershipRules
from sessionsim.network.train_draws import draw
from sessionsim.network.train_jobs import Drawn, Job
from sessionsim.network.wire_rules import WireRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.idling import Skip
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.machine import Effects
from sessionsim.protocol.node_rules import NodeRules

N = 6
HORIZON_US = 12 * US_PER_MIN  # longer than the time between two rotations of paths


def texts(count: int) -> tuple[Intent, ...]:
    """Texts at uneven times, some close together, each to another account."""
    found = [
        Intent((20 + 31 * k + k * k % 17) * US_PER_S + 7919 * k, k % N, (k + 1 + k // N) % N, f"text {k}", k)
        for k in range(count)
        if k % N != (k + 1 + k // N) % N
    ]
    return tuple(sorted(found, key=lambda one: one.t_us))


def spec(seed: int, count: int = 18) -> WorldSpec:
    return WorldSpec(
        date="2026-04-28",
        limit_swarms=6,
        platforms=("desktop", "android", "ios") * (N // 3),
        intents=texts(count),
        horizon_us=HORIZON_US,
        measured=(0, HORIZON_US),
        seeds=Seeds(seed),
        epoch_ms=1_777_000_000_000,
    )


def run(given: WorldSpec, how: str, watched: frozenset[int] = frozenset()) -> tuple[World, Truth, Table]:
    world = build(replace(given, idle_polls=how))
    records = MemoryRecords()
    truth = world.run(records, watched, keep_bytes=True)
    return world, truth, records.table()


def carried(world: World) -> int:
    """Transmissions of a run in bulk, carried out or not."""
    assert world.host is not None
    assert world.trains is not None
    assert world.passages is not None
    return world.host.transmissions + world.trains.transmissions + world.passages.transmissions


def assert_same_truth(one: Truth, other: Truth) -> None:
    for name in ("accounts", "devices", "messages", "deliveries", "events"):
        for column, values in getattr(one, name).items():
            np.testing.assert_array_equal(values, getattr(other, name)[column], err_msg=f"{name}.{column}")


def assert_same_records(one: Table, other: Table) -> None:
    for column in one:
        np.testing.assert_array_equal(one[column], other[column], err_msg=column)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outcomes_are_those_of_carrying_out_each_poll(seed: int) -> None:
    each, bulk = run(spec(seed), "each"), run(spec(seed), "bulk")
    assert_same_truth(each[1], bulk[1])
    assert set(each[1].messages["outcome"]) == {"delivered"}
    (one, _, _), (other, _, _) = each, bulk
    assert one.host is not None
    assert other.host is not None
    assert other.trains is not None
    # Hardly anything but idle polls is left out, and they are most of what happens.
    assert other.trains.polls > 0.6 * one.host.transmissions / 8
    assert other.passages is not None
    assert other.passages.transmissions > other.host.transmissions
    assert carried(other) == one.host.transmissions


@pytest.mark.parametrize("seed", [4, 5])
def test_records_of_watched_links_are_the_same(seed: int) -> None:
    clients = 30 + N  # six swarms have 30 nodes or a few more: some client is among these endpoints
    watched = frozenset({3, 11, 17, clients - 2})
    each, bulk = run(spec(seed), "each", watched), run(spec(seed), "bulk", watched)
    assert_same_records(each[2], bulk[2])
    assert_same_truth(each[1], bulk[1])
    assert len(each[2]["src"]) > 500
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_a_watched_client_polls_one_by_one() -> None:
    given = spec(1, 0)
    endpoint = len(build(given).nodes)
    world, _, records = run(given, "bulk", frozenset(range(endpoint, endpoint + N)))
    assert world.trains is not None
    assert world.trains.polls == 0
    assert len(records["src"]) > 1000


@pytest.mark.parametrize("idle_s", [6, 10, 3600])
@pytest.mark.parametrize("shared", [True, False])
def test_connections_of_http_are_those_of_carrying_out_each_poll(shared: bool, idle_s: int) -> None:
    """Desktop asks two nodes at a time, half of the time over one path."""
    wire = WireRules(https_parallel="shared" if shared else "connections", https_idle_us=idle_s * US_PER_S)
    given = replace(spec(4), platforms=("desktop",) * 4 + ("android",) * 2, wire_rules=wire)
    watched = frozenset({7, 11})
    each, bulk = run(given, "each", watched), run(given, "bulk", watched)
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


@pytest.mark.parametrize("idle_us", [2_100_000, 4_500_000, 9_000_000])
def test_polls_one_by_one_take_the_oldest_connection_that_is_open(idle_us: int) -> None:
    """Tests of new paths go beside polls, over further connections that stay open for a while."""
    rules = PLATFORMS | {"android": replace(PLATFORMS["android"], rotation_us=9 * US_PER_S)}
    given = replace(
        spec(13), platforms=("android",) * N, client_rules=rules, wire_rules=WireRules(https_idle_us=idle_us)
    )
    watched = frozenset({2, 13, 23})
    each, bulk = run(given, "each", watched), run(given, "bulk", watched)
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


@pytest.mark.parametrize("late_s", [0, 1, 60])
def test_it_does_not_matter_how_late_polls_are_drawn(late_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trains, "_LATE_US", late_s * US_PER_S)
    # Now and then a poll takes so long that it is given up.
    rules = {name: replace(one, request_timeout_us=900_000) for name, one in PLATFORMS.items()}
    given = replace(spec(14), client_rules=rules)
    each, bulk = run(given, "each"), run(given, "bulk")
    assert_same_truth(each[1], bulk[1])
    assert each[0].host is not None
    assert carried(bulk[0]) == each[0].host.transmissions


def test_polls_of_many_clients_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def noting(ahead: list[list[Job]], *more: Any) -> list[Drawn]:
        sizes.append(len(ahead))
        return draw(ahead, *more)

    monkeypatch.setattr(trains, "draw", noting)
    # Paths are replaced so often that some train ends every second.
    rules = PLATFORMS | {"ios": replace(PLATFORMS["ios"], rotation_us=20 * US_PER_S)}
    run(replace(spec(15, 0), platforms=("ios",) * 2 * N, client_rules=rules), "bulk")
    assert len(sizes) > 50
    assert np.mean(sizes) > 2.5


@pytest.mark.parametrize("seed", [16, 17])
def test_paths_that_no_poll_takes_are_replaced_beside_a_train(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths of files, on iOS: their tests go out and are answered while the train goes on."""
    beside: list[int] = []
    wake_beside = Client.wake_beside

    def noting(client: Client, now_us: int) -> Effects | None:
        effects = wake_beside(client, now_us)
        beside.append(len(effects or ()))
        return effects

    monkeypatch.setattr(Client, "wake_beside", noting)
    rules = PLATFORMS | {"ios": replace(PLATFORMS["ios"], rotation_us=30 * US_PER_S)}
    given = replace(spec(seed, 12), platforms=("ios",) * N, client_rules=rules)
    watched = frozenset({4, 12, 19})
    each, bulk = run(given, "each", watched), run(given, "bulk", watched)
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert sum(beside) > 100  # of 288 such tests; others fall into polls that are carried out


def test_a_test_beside_a_train_that_is_not_answered_is_given_up_in_time() -> None:
    rules = PLATFORMS | {
        "ios": replace(PLATFORMS["ios"], rotation_us=20 * US_PER_S, rotation_test_timeout_us=600_000)
    }
    given = replace(spec(18, 12), platforms=("ios",) * N, client_rules=rules)
    each, bulk = run(given, "each"), run(given, "bulk")
    assert_same_truth(each[1], bulk[1])
    assert each[0].host is not None
    assert carried(bulk[0]) == each[0].host.transmissions


def test_idle_connections_are_opened_anew_within_a_train() -> None:
    # On https a connection closes after ten idle seconds, so a poll every 12 s shakes hands each time.
    rules = {name: replace(one, poll_interval_us=12 * US_PER_S) for name, one in PLATFORMS.items()}
    given = replace(spec(6), client_rules=rules, link_rules=LinkRules(jitter="none"))
    each, bulk = run(given, "each"), run(given, "bulk")
    assert_same_truth(each[1], bulk[1])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_commands_in_the_middle_of_polls_find_the_client_where_it_would_be() -> None:
    given = spec(7, 6)
    extra = [(1_000_003 * t, t % N, ("poll",)) for t in range(60, 600, 7)]
    outcomes = []
    for how in ("each", "bulk"):
        world = build(replace(given, idle_polls=how))
        outcomes.append((world.run(commands=extra), world))
    assert_same_truth(outcomes[0][0], outcomes[1][0])
    (_, one), (_, other) = outcomes
    assert isinstance(one.host, Host)
    assert isinstance(other.host, Host)
    assert carried(other) == one.host.transmissions


def test_messages_that_expire_end_a_train_in_time() -> None:
    # Each message lives two minutes; once the last one that a client saw has gone, nodes answer anew.
    rules = {name: replace(one, message_ttl_us=2 * US_PER_MIN) for name, one in PLATFORMS.items()}
    given = replace(spec(8), client_rules=rules)
    assert_same_truth(run(given, "each")[1], run(given, "bulk")[1])


def test_what_another_node_gave_already_is_read_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message comes once from every member of the swarm; all but the first are no news."""
    read: list[str] = []
    skip = Client.skip

    def noting(client: Client, skips: Sequence[Skip]) -> None:
        read.extend(hash_ for one in skips for reread in one.rereads for hash_ in reread.hashes)
        skip(client, skips)

    monkeypatch.setattr(Client, "skip", noting)
    _, truth, _ = run(spec(3), "bulk")
    again = int(sum(truth.devices["fetched_again"]))
    assert again > 3 * len(spec(3).intents)
    # Beside them the sync copies of a device's own texts; but desktop hears of a text from two nodes at once.
    assert len(read) > 0.8 * again


def test_messages_that_expire_are_not_read_again_in_bulk() -> None:
    # Some live so short that members of a swarm have lost them before they are asked.
    rules = {
        name: replace(one, message_ttl_us=25 * US_PER_S, poll_interval_us=6 * US_PER_S)
        for name, one in PLATFORMS.items()
    }
    given = replace(spec(12), client_rules=rules, node_rules=replace(NodeRules(), ttl_min_us=10 * US_PER_S))
    each, bulk = run(given, "each"), run(given, "bulk")
    assert_same_truth(each[1], bulk[1])
    assert 0 < int(sum(each[1].devices["fetched_again"])) < 6 * len(given.intents)


def test_the_same_run_gives_the_same_trains() -> None:
    first, second = run(spec(9), "bulk", frozenset({5})), run(spec(9), "bulk", frozenset({5}))
    for column in first[2]:
        np.testing.assert_array_equal(first[2][column], second[2][column], err_msg=column)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whatever_fails_outcomes_and_records_stay_the_same(kind: str) -> None:
    struck = {"by": "per-swarm", "count": 1, "at_us": 70 * US_PER_S, "every_us": 200 * US_PER_S}
    fault = Fault("x", kind, KINDS[kind](**struck, lasts_us=25 * US_PER_S))
    given = replace(spec(10), faults=(fault,))
    watched = frozenset({3, 11, 17})
    each, bulk = run(given, "each", watched), run(given, "bulk", watched)
    assert_same_truth(each[1], bulk[1])
    assert_same_records(each[2], bulk[2])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100


def test_while_nodes_come_and_go_outcomes_stay_the_same() -> None:
    coming = MembershipRules(mode="rates", joins_prob=1.0, leaves_prob=1.0, outages_prob=1.0)
    given = replace(spec(11), membership=coming, limit_swarms=60)
    each, bulk = run(given, "each"), run(given, "bulk")
    assert len(each[0].history.blocks) > 2
    assert_same_truth(each[1], bulk[1])
    assert bulk[0].trains is not None
    assert bulk[0].trains.polls > 100
