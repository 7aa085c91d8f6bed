"""The guard, or edge (A1): the node that a client talks to."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._roles import RoleChoice, choose_in_role
from sessionsim.core.scene import Position, Role, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=RoleChoice, source="threat-model A1; metrics 2i, row first hop")
class Guard:
    """Guards: client addresses, times and sizes of all requests, and the next hop."""

    def __init__(self, config: RoleChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Run the chosen nodes, and see what they do as guards."""
        return choose_in_role(Role.GUARD, self._config, scene, seeds)
