"""Controlled service nodes, in whatever role (A5): their application bytes and their keys."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._nodes import NodeChoice, chosen_nodes
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=NodeChoice, source="threat-model A1-A6; metrics 2a, 2d")
class Snodes:
    """Operator of some service nodes: their requests and answers as bytes, and their keys."""

    def __init__(self, config: NodeChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate the chosen nodes. Raises InvalidInput for a country, swarm or node that is not there."""
        nodes = chosen_nodes(self._config, scene, seeds)
        return Position(operated=nodes, clock_offset_us=self._config.clock_offset_us)
