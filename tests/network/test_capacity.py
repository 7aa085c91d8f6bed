"""Work and waiting: by hand, against the law of a queue, and in worlds where nodes have too much to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.intents import Intent, Post, Reader
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.network.capacity import Capacity, CapacityRules, Meter, MeteredSuite
from sessionsim.network.world import World, build
from sessionsim.network.world_spec import WorldSpec
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.crypto.layer import GcmLayer

S = US_PER_S
RULES = CapacityRules(on=True, cores=1, request_us=1000, kibibyte_us=0)
SERVER = 99


class Queue:
    """One node, or several, that are given requests by hand."""

    def __init__(self, rules: CapacityRules = RULES, addresses: tuple[int, ...] = (7,)) -> None:
        self.meter = Meter()
        self.capacity = Capacity(rules, self.meter, addresses, (SERVER,))

    def ask(self, now_us: int, node: int = 0, size: int = 0, signatures: int = 0) -> int | None:
        """Give after which time the answer leaves; None if the request is dropped."""
        if not self.capacity.admits(node, size, now_us):
            return None
        self.capacity.begin(node, size)
        self.meter.signatures += signatures
        lag = self.capacity.lag_us(node, now_us)
        assert self.capacity.lag_us(node, now_us) == lag  # all effects of one request leave together
        assert self.capacity.lag_us(node + 1, now_us) == 0
        self.capacity.end(now_us)
        return lag


def test_requests_are_worked_on_one_after_the_other() -> None:
    queue = Queue()
    assert [queue.ask(0), queue.ask(0), queue.ask(500)] == [1000, 2000, 2500]
    assert queue.ask(10_000) == 1000


def test_two_processors_work_side_by_side() -> None:
    queue = Queue(replace(RULES, cores=2))
    assert [queue.ask(0) for _ in range(5)] == [1000, 1000, 2000, 2000, 3000]


def test_nodes_of_one_address_share_its_processors() -> None:
    queue = Queue(addresses=(7, 7, 8))
    assert [queue.ask(0, node) for node in (0, 1, 2)] == [1000, 2000, 1000]


def test_a_server_has_a_host_of_its_own_with_its_own_processors() -> None:
    queue = Queue(replace(RULES, server_cores=2))
    assert [queue.ask(0, SERVER) for _ in range(3)] == [1000, 1000, 2000]
    assert queue.ask(0) == 1000
    assert Queue(RULES).capacity.works(SERVER)
    assert not Queue(replace(RULES, server_cores=0)).capacity.works(SERVER)


def test_costs_are_those_of_the_table() -> None:
    rules = CapacityRules(on=True, cores=1)
    assert Queue(rules).ask(0) == 100
    assert Queue(rules).ask(0, signatures=3) == 100 + 57
    assert Queue(rules).ask(0, size=10_240) == 110
    assert Queue(replace(rules, speed=0.5)).ask(0, signatures=3) == 314


def test_work_that_lets_nothing_out_takes_time_too() -> None:
    queue = Queue()
    queue.capacity.begin(0, 0)
    queue.capacity.end(0)
    assert queue.ask(0) == 2000


def test_what_finds_too_much_waiting_is_dropped() -> None:
    queue = Queue(replace(RULES, queue_max=2))
    # One is worked on, two wait; when the second is begun there is room again.
    assert [queue.ask(0) for _ in range(5)] == [1000, 2000, 3000, None, None]
    assert queue.ask(999) is None
    assert queue.ask(1000) == 3000
    assert queue.capacity.dropped == {0: 3, SERVER: 0}
    queue = Queue(replace(RULES, memory_max_bytes=100))
    assert [queue.ask(0, size=60) for _ in range(3)] == [1000, 2000, None]
    assert queue.ask(0, size=40) == 3000


def test_waits_follow_the_law_of_a_queue_with_constant_service() -> None:
    """Poisson arrivals at load r wait r / 2(1 − r) services on average (Pollaczek and Khinchine)."""
    chance = Seeds(1).stream("x")
    for load in (0.3, 0.6, 0.8):
        queue = Queue(replace(RULES, queue_max=10**6))
        times = np.cumsum(chance.exponential(1000 / load, size=100_000)).astype(int).tolist()
        waits = np.array([queue.ask(t_us) for t_us in times]) - 1000
        assert waits.mean() / 1000 == pytest.approx(load / 2 / (1 - load), rel=0.06)


def test_a_metered_suite_is_the_suite_and_counts() -> None:
    suite, meter = suite_named("fast"), Meter()
    metered: Any = MeteredSuite(suite, meter)
    assert metered.name == "fast"
    own = metered.ephemeral(bytes(31) + b"\x05")
    public, layer = suite.layer_to(GcmLayer, bytes(range(32)), own.public)
    assert metered.layer_from(GcmLayer, own, public).open(layer.seal(b"x", bytes(12))) == b"x"
    assert metered.verify(own.public, b"m", metered.sign(own, b"m"))
    assert (meter.agreements, meter.signatures, meter.verifications) == (1, 1, 1)
    meter.reset()
    assert (meter.agreements, meter.signatures, meter.verifications) == (0, 0, 0)


SPEC = WorldSpec(
    date="2026-04-28",
    limit_swarms=6,
    platforms=("desktop", "android", "ios"),
    intents=tuple(Intent((5 + k) * S, k % 3, (k + 1) % 3, f"text {k}") for k in range(12)),
    horizon_us=60 * S,
    measured=(0, 60 * S),
    seeds=Seeds(7),
    epoch_ms=1_777_000_000_000,
)


def run(**changes: Any) -> tuple[World, dict[str, Any], dict[str, np.ndarray]]:
    world = build(replace(SPEC, **changes))
    records = MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))))
    return world, {"messages": truth.messages, "events": truth.events}, records.table()


def test_off_nothing_is_counted() -> None:
    world, _, _ = run()
    assert world.capacity is None
    assert world.host.trouble is None


def test_idle_nodes_add_well_under_a_millisecond_a_hop() -> None:
    _, quiet, _ = run()
    world, busy, _ = run(capacity=CapacityRules(on=True))
    assert (busy["messages"]["outcome"] == "delivered").all()
    later = busy["messages"]["stored_us"] - quiet["messages"]["stored_us"]
    # Five nodes there and back, and a member: a few hundred microseconds of work each.
    assert 500 < np.median(later) < 10_000
    assert sum(world.capacity.dropped.values()) == 0


def test_both_suites_cost_the_same() -> None:
    rules = CapacityRules(on=True, speed=0.01)
    first, second = (run(capacity=rules, suite=suite)[2] for suite in ("fast", "sodium"))
    for name in first:
        assert (first[name] == second[name]).all()


def median_to_store(speed: float) -> float:
    messages = run(capacity=CapacityRules(on=True, cores=1, speed=speed))[1]["messages"]
    stored = messages["stored_us"] >= 0
    return float(np.median((messages["stored_us"] - messages["intent_us"])[stored]))


def test_overload_is_seen_in_times_and_then_in_drops() -> None:
    at_rest, loaded, overloaded = (median_to_store(speed) for speed in (1.0, 0.003, 0.001))
    assert at_rest < loaded < overloaded
    assert overloaded > 2 * at_rest
    world, truth, _ = run(capacity=CapacityRules(on=True, cores=1, speed=0.0001, queue_max=1))
    dropped = (truth["events"]["what"] == "request dropped").sum()
    assert dropped == sum(world.capacity.dropped.values()) > 5
    assert set(truth["messages"]["outcome"]) - {"delivered"}


READ = tuple(Reader(0, k, 0) for k in range(3))
POSTED = (*READ, *(Post((20 + k) * S, k % 3, 0, f"post {k}", k // 3) for k in range(12)))


def test_a_community_with_too_much_to_do_is_seen_in_times_and_then_in_drops() -> None:
    """Nodes have processors enough here; a request takes 50 ms wherever it is worked on."""
    rules = CapacityRules(on=True, cores=1000, request_us=50_000, server_cores=0)
    times = []
    for cores in (0, 1):
        world, truth, _ = run(intents=POSTED, capacity=replace(rules, server_cores=cores))
        (server,) = world.scene.servers["community"]
        assert world.capacity.works(server) == bool(cores)
        messages = truth["messages"]
        assert (messages["outcome"] == "delivered").all()
        times.append(messages["stored_us"] - messages["intent_us"])
    later_us = np.median(times[1] - times[0])
    assert 50_000 <= later_us < 200_000  # its own work, and at times a poll's ahead of it
    at_once = (*READ, *(Post(20 * S, k % 3, 0, f"post {k}", k // 3) for k in range(60)))
    world, truth, _ = run(intents=at_once, capacity=replace(rules, server_cores=1, queue_max=1))
    events = truth["events"]
    dropped = (events["what"] == "request dropped") & (events["endpoint"] == server)
    assert dropped.sum() == world.capacity.dropped[server] > 5


def test_work_of_every_kind_of_server_is_counted() -> None:
    world = build(replace(SPEC, intents=POSTED, capacity=CapacityRules(on=True)))
    assert all(world.capacity.works(one.endpoint) for one in world.servers)
    first = len(world.nodes)
    assert not any(world.capacity.works(first + k) for k in range(len(world.seats)))
