"""The last hop of a path (A3): it passes requests on to the node or server they are for."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._roles import RoleChoice, choose_in_role
from sessionsim.core.scene import Position, Role, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=RoleChoice, source="threat-model A3; metrics 2i, row last hop")
class LastHop:
    """Last hops: which node or server is asked, times and sizes."""

    def __init__(self, config: RoleChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Run the chosen nodes, and see what they do as last hops."""
        return choose_in_role(Role.LAST, self._config, scene, seeds)
