"""Choosing service nodes: at random, by who owns them, by place, by swarm, or one by one.

Clustered choices follow threat-model Q3: an attacker who owns hosts, networks or whole operators owns all
nodes in them, so the largest clusters that still fit into the wanted share are taken whole. Who operates
which real node is not known; `operator` deals the hosts of the list out to operators by a stated law.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from sessionsim.adversary.vantages._shared import (
    check_named,
    clock_setting,
    draw_setting,
    largest_first,
    random_order,
    share,
    whole_groups,
)
from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class NodeChoice:
    """Which service nodes the observer runs."""

    by: str = setting(
        "random",
        doc="How nodes are chosen: at random, by largest host, network or operator, country, swarm, or list.",
        source="threat-model Q1, Q3: random against clustered placement",
        choices=("random", "host", "net24", "net16", "operator", "country", "swarm", "list"),
    )
    fraction: float = setting(
        0.1,
        unit="prob",
        doc="Share of all nodes, when chosen at random or by host, network or operator.",
        source="threat-model 4: the sweep 1-30 %",
        low=0,
        high=1,
    )
    country: str = setting("", doc="Two-letter country code, when chosen by country.", source="Assumption")
    swarms: tuple[str, ...] = setting(
        (), doc="Swarm ids as hex numbers, when chosen by swarm.", source="Assumption: none; threat-model A6"
    )
    nodes: tuple[int, ...] = setting(
        (), doc="Node numbers in the list, counted from 0, when chosen by list.", source="Assumption: none"
    )
    operators: int = setting(
        200,
        doc="How many operators the hosts of the list are dealt out to, when chosen by operator.",
        source="Assumption: nobody publishes who operates which node",
        low=1,
        high=100_000,
    )
    operator_exponent: float = setting(
        1.0,
        doc="Exponent of the Zipf law by which hosts go to operators; 0 deals evenly.",
        source="Assumption: the law of Zipf, as threat-model Q3 proposes",
        low=0,
        high=5,
    )
    draw: int = draw_setting()
    clock_offset_us: int = clock_setting()

    def __post_init__(self) -> None:
        lists = {"country": self.country, "swarms": self.swarms, "nodes": self.nodes}
        check_named(self.by, dict(zip(("country", "swarm", "list"), lists.items(), strict=True)))


def chosen_nodes(choice: NodeChoice, scene: Scene, seeds: Seeds) -> frozenset[int]:
    """Choose nodes. Raises InvalidInput for a country, swarm or node that is not there."""
    nodes, n = scene.nodes, len(scene.nodes)
    if choice.by == "random":
        return frozenset(random_order(seeds, "snodes", choice.draw, range(n))[: share(n, choice.fraction)])
    if choice.by == "country":
        return _of_country(choice.country, scene)
    if choice.by == "swarm":
        return frozenset(node for swarm in choice.swarms for node in _members(scene, swarm))
    if choice.by == "list":
        wrong = [node for node in choice.nodes if not 0 <= node < n]
        if wrong:
            raise InvalidInput("vantage nodes", wrong[0], f"node numbers from 0 to {n - 1}")
        return frozenset(choice.nodes)
    if choice.by == "operator":
        groups = largest_first(_operators(choice, nodes, seeds))
    else:
        groups = largest_clusters(choice.by, nodes)
    return whole_groups(groups, share(n, choice.fraction))


def largest_clusters(by: str, nodes: NodeList) -> list[list[int]]:
    """Group nodes by `host`, `net24` or `net16`, largest group first."""
    keys: dict[str, list[Hashable]] = {
        "host": list(nodes.ip),
        "net24": [nodes.net24(node) for node in range(len(nodes))],
        "net16": [nodes.net16(node) for node in range(len(nodes))],
    }
    return largest_first(keys[by])


def _operators(choice: NodeChoice, nodes: NodeList, seeds: Seeds) -> list[int]:
    """Deal hosts out to operators; all nodes of a host have one."""
    weights = np.arange(1, choice.operators + 1, dtype=float) ** -choice.operator_exponent
    hosts = list(dict.fromkeys(nodes.ip))
    stream = seeds.stream("vantage", "operators", choice.draw)
    dealt = stream.choice(choice.operators, size=len(hosts), p=weights / weights.sum()).tolist()
    operator = dict(zip(hosts, dealt, strict=True))
    return [operator[ip] for ip in nodes.ip]


def _of_country(wanted: str, scene: Scene) -> frozenset[int]:
    found = frozenset(node for node, country in enumerate(scene.node_country) if country == wanted)
    if not found:
        known = ", ".join(sorted(set(scene.node_country))) or "none"
        raise InvalidInput("vantage country", wanted, f"one of {known}")
    return found


def _members(scene: Scene, swarm: str) -> tuple[int, ...]:
    try:
        number = int(swarm, 16)
    except ValueError:
        number = -1
    if number not in scene.nodes.members:
        some = ", ".join(f"{known:x}" for known in list(scene.nodes.members)[:3])
        raise InvalidInput("vantage swarms", swarm, f"hex ids of swarms in the list, such as {some}")
    return scene.nodes.members[number]
