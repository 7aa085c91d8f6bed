"""Controlled service nodes (A1-A6): operated endpoints whose application bytes and keys the observer has.

Clustered choices follow threat-model Q3: an attacker who owns hosts or networks owns all nodes in them, so
the largest clusters that still fit into the wanted share are taken whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
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
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Which service nodes the observer runs."""

    by: str = setting(
        "random",
        doc="How nodes are chosen: at random, by largest host or network, by country, swarm, or list.",
        source="threat-model Q1, Q3: random against clustered placement",
        choices=("random", "host", "net24", "net16", "country", "swarm", "list"),
    )
    fraction: float = setting(
        0.1,
        unit="prob",
        doc="Share of all nodes, when chosen at random or by host or network.",
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
    draw: int = draw_setting()
    clock_offset_us: int = clock_setting()

    def __post_init__(self) -> None:
        lists = {"country": self.country, "swarms": self.swarms, "nodes": self.nodes}
        check_named(self.by, dict(zip(("country", "swarm", "list"), lists.items(), strict=True)))


@VANTAGES.register(config=Config, source="threat-model A1-A6; metrics 2a, 2d")
class Snodes:
    """Operator of some service nodes: their requests and answers as bytes, and their keys."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate the chosen nodes. Raises InvalidInput for a country, swarm or node that is not there."""
        return Position(operated=self._nodes(scene, seeds), clock_offset_us=self._config.clock_offset_us)

    def _nodes(self, scene: Scene, seeds: Seeds) -> frozenset[int]:
        config, nodes = self._config, scene.nodes
        n = len(nodes)
        limit = share(n, config.fraction)
        if config.by == "random":
            return frozenset(random_order(seeds, "snodes", config.draw, range(n))[:limit])
        if config.by == "host":
            return whole_groups(largest_first(nodes.ip), limit)
        if config.by == "net24":
            return whole_groups(largest_first(nodes.net24(node) for node in range(n)), limit)
        if config.by == "net16":
            return whole_groups(largest_first(nodes.net16(node) for node in range(n)), limit)
        if config.by == "country":
            return self._of_country(scene)
        if config.by == "swarm":
            return frozenset(node for swarm in config.swarms for node in _members(scene, swarm))
        wrong = [node for node in config.nodes if not 0 <= node < n]
        if wrong:
            raise InvalidInput("vantage snodes nodes", wrong[0], f"node numbers from 0 to {n - 1}")
        return frozenset(config.nodes)

    def _of_country(self, scene: Scene) -> frozenset[int]:
        wanted = self._config.country
        found = frozenset(node for node, country in enumerate(scene.node_country) if country == wanted)
        if not found:
            known = ", ".join(sorted(set(scene.node_country))) or "none"
            raise InvalidInput("vantage snodes country", wanted, f"one of {known}")
        return found


def _members(scene: Scene, swarm: str) -> tuple[int, ...]:
    try:
        number = int(swarm, 16)
    except ValueError:
        number = -1
    if number not in scene.nodes.members:
        some = ", ".join(f"{known:x}" for known in list(scene.nodes.members)[:3])
        raise InvalidInput("vantage snodes swarms", swarm, f"hex ids of swarms in the list, such as {some}")
    return scene.nodes.members[number]
