"""Whom faults strike and when, on a network of nine nodes worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Scene
from sessionsim.core.seeds import Seeds
from sessionsim.network.faults.kinds import KINDS, Crash, DiskFull, Fault, Hang, Partition, Slow, Struck
from sessionsim.network.faults.plan import FOREVER_US
from sessionsim.network.faults.spells import spells
from sessionsim.network.faults.whom import clients_beside, struck

# Swarm 0: nodes 0-3, swarm 2^63: 4-8. Hosts: 0 and 1 share one, 2-4 another, the rest have one each.
NODES = NodeList(
    ed25519=tuple(bytes([i]) * 32 for i in range(9)),
    x25519=tuple(bytes([i]) * 32 for i in range(9)),
    swarm=(0,) * 4 + (1 << 63,) * 5,
    ip=(0x01010101, 0x01010101, 0x01020202, 0x01020202, 0x01020202, 0x02010101, 0x02010102, 0x03010101, 4),
    port=tuple(range(9)),
)
LOW, HIGH = b"\x05" + bytes(32), b"\x05" + b"\x90" + bytes(31)
SCENE = Scene(
    nodes=NODES,
    node_country=("DE",) * 3 + ("US",) * 6,
    client_endpoints=(9, 10, 11, 12),
    client_country=("DE", "US", "DE", "FR"),
    client_platform=("ios",) * 4,
    client_ids=(LOW, HIGH, LOW, HIGH),
    servers={"push": (14,), "file": (13,), "seed": (15, 16)},
)
SEEDS = Seeds(3)


def chosen(kind: str = "slow", name: str = "x", **settings: Any) -> tuple[int, ...]:
    return struck(Fault(name, kind, KINDS[kind](**settings)), SCENE, SEEDS)


def test_everybody_and_every_client_and_a_country() -> None:
    assert chosen(by="all") == tuple(range(17))
    assert chosen(by="servers", servers=("seed", "file")) == (13, 15, 16)
    assert chosen(by="clients") == (9, 10, 11, 12)
    assert len(chosen(by="clients", share_prob=0.5)) == 2
    assert chosen(by="country", country="DE") == (0, 1, 2)
    assert len(chosen(by="country", country="US", count=2)) == 2


def test_so_many_of_each_swarm() -> None:
    found = chosen(by="per-swarm", count=2)
    assert len(found) == 4
    assert sum(node < 4 for node in found) == 2
    assert chosen(by="per-swarm", count=9) == tuple(range(9))


def test_the_swarm_of_a_client() -> None:
    assert chosen(by="swarm-of", client=0) == (0, 1, 2, 3)
    assert chosen(by="swarm-of", client=1) == (4, 5, 6, 7, 8)
    assert len(chosen(by="swarm-of", client=1, count=3)) == 3


def test_the_largest_hosts_and_networks_are_taken_whole() -> None:
    assert chosen(by="host", count=1) == (2, 3, 4)
    assert chosen(by="host", count=2) == (0, 1, 2, 3, 4)
    assert chosen(by="net24", count=2) == (0, 1, 2, 3, 4)  # of equal ones the lowest number
    assert chosen(by="net16", count=1) == (2, 3, 4)
    assert chosen(by="net16", share_prob=1.0) == tuple(range(9))


def test_listed_nodes_each_once() -> None:
    assert chosen(by="list", nodes=(5, 2, 5)) == (2, 5)


def test_random_choices_depend_on_the_name_alone_and_are_even() -> None:
    assert chosen(count=3) == chosen(count=3)
    assert chosen(count=3) == chosen("hang", count=3)
    counts = np.zeros(9)
    for k in range(900):
        counts[list(chosen(name=f"n{k}", count=3))] += 1
    # Binomial(900, 1/3): deviation 14.
    assert counts.sum() == 2700
    assert abs(counts - 300).max() < 60


def test_nodes_without_a_swarm_are_not_drawn() -> None:
    swarms = (0,) * 4 + ((1 << 64) - 1,) * 5
    nodes = NodeList(NODES.ed25519, NODES.x25519, swarms, NODES.ip, NODES.port)
    scene = Scene(nodes, SCENE.node_country, (), (), (), ())
    assert struck(Fault("x", "crash", Crash(by="random")), scene, SEEDS) == (0, 1, 2, 3)


def test_a_partition_takes_clients_of_the_country_or_the_same_share_along() -> None:
    country = Fault("x", "partition", Partition(by="country", country="DE"))
    assert clients_beside(country, SCENE, SEEDS) == (9, 11)
    share = Fault("x", "partition", Partition(by="random", share_prob=0.5))
    assert len(clients_beside(share, SCENE, SEEDS)) == 2
    count = Fault("x", "partition", Partition(by="random", count=9))
    assert clients_beside(count, SCENE, SEEDS) == (9, 10, 11, 12)
    assert clients_beside(Fault("x", "partition", Partition(by="net16", count=1)), SCENE, SEEDS) == ()


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"by": "country", "country": "ZZ"}, "faults.x.country"),
        ({"by": "list", "nodes": (9,)}, "faults.x.nodes"),
        ({"by": "swarm-of", "client": 4}, "faults.x.client"),
        ({"by": "servers", "servers": ("community",)}, "faults.x.servers"),
    ],
)
def test_machines_that_are_not_there_are_named(settings: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        chosen(**settings)
    assert wrong.value.place == place


@pytest.mark.parametrize(
    ("kind", "settings", "place"),
    [
        (Crash, {"every_us": 5}, "lasts_us"),
        (Crash, {"by": "clients", "disk": "lost"}, "disk"),
        (Hang, {"by": "all"}, "by"),
        (Slow, {"by": "country"}, "country"),
        (Slow, {"country": "DE"}, "country"),
        (Slow, {"by": "list"}, "nodes"),
        (Slow, {"nodes": (1,)}, "nodes"),
        (Slow, {"by": "servers"}, "servers"),
        (Slow, {"servers": ("file",)}, "servers"),
        (DiskFull, {"by": "servers", "servers": ("file",)}, "by"),
    ],
)
def test_settings_that_do_not_go_together(kind: type[Any], settings: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        kind(**settings)
    assert wrong.value.place == place


def when(horizon_us: int = 1_000_000, seed: int = 1, **settings: Any) -> list[tuple[int, int]]:
    return spells(Struck(**settings), Seeds(seed).stream("x"), horizon_us)


def test_what_comes_once_lasts_as_long_as_told_or_for_good() -> None:
    assert when(at_us=5) == [(5, FOREVER_US)]
    assert when(at_us=5, lasts_us=10) == [(5, 15)]
    assert when(at_us=1_000_000) == []


def test_what_comes_again_has_the_means_told() -> None:
    found = when(10**9, at_us=700, every_us=20_000, lasts_us=5_000)
    begins, ends = np.array(found).T
    assert begins[0] > 700
    assert begins[-1] < 10**9
    assert (ends > begins).all()
    assert (begins[1:] > ends[:-1]).all()
    assert abs(len(found) - 40_000) < 4 * 200  # renewals of 25 ms in 1,000 s
    assert abs((ends - begins).mean() - 5_000) < 4 * 25
    assert abs((begins[1:] - ends[:-1]).mean() - 20_000) < 4 * 100
    assert when(10**6, every_us=20_000, lasts_us=5_000) == when(10**6, every_us=20_000, lasts_us=5_000)
    assert when(10**6, every_us=20_000, lasts_us=5_000) != when(10**6, 2, every_us=20_000, lasts_us=5_000)
