"""Exchanges that pass unseen relays at once; that runs come out the same is in `test_trains`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.units import US_PER_S
from sessionsim.network.faults import KINDS, Fault
from sessionsim.network.world import World, build
from sessionsim.protocol.client.machine import Client
from tests.network.test_trains import N, assert_same_records, assert_same_truth, run, spec


def unsealed(world: World) -> list[bool]:
    clients = [machine for machine in world.machines if isinstance(machine, Client)]
    return [client.requests.unsealed for client in clients]


def test_only_exchanges_that_pass_nobody_who_watches_are_let_pass() -> None:
    watched = frozenset({3, 11, 17})
    (one, truth, each), (other, same, bulk) = run(spec(12), "each", watched), run(spec(12), "bulk", watched)
    assert_same_truth(truth, same)
    assert_same_records(each, bulk)
    # Relays that are watched show whole exchanges.
    assert np.sum(each["head"] == HEAD_CODE["sn.onion_request"]) > 100
    assert one.passages is None
    assert not any(unsealed(one))
    assert all(unsealed(other))
    assert other.passages is not None
    assert other.passages.transmissions > 100
    assert other.host is not None
    assert other.host.transmissions > 100


def test_watched_and_owned_clients_make_the_bytes_of_their_requests() -> None:
    world = build(replace(spec(1, 0), idle_polls="bulk"))
    first = len(world.nodes)
    world.run(watched=frozenset({first}), owned=frozenset({first + 1}))
    # Without records nobody watches.
    assert unsealed(world) == [True, False, *[True] * (N - 2)]
    world = run(spec(1, 0), "bulk", frozenset({first}))[0]
    assert unsealed(world) == [False, *[True] * (N - 1)]


def test_where_anything_can_fail_nothing_is_let_pass() -> None:
    fault = Fault("x", "slow", KINDS["slow"](by="per-swarm", count=1, at_us=70 * US_PER_S))
    world = run(replace(spec(1, 0), faults=(fault,)), "bulk")[0]
    assert world.passages is None
    assert not any(unsealed(world))
