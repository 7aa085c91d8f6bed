"""The middle hop (A2): between guard and last hop, and talking to neither end."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._roles import RoleChoice, choose_in_role
from sessionsim.core.scene import Position, Role, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=RoleChoice, source="threat-model A2; metrics 2i, row middle")
class Middle:
    """Middle hops: guard, last hop, times and sizes."""

    def __init__(self, config: RoleChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Run the chosen nodes, and see what they do as middle hops."""
        return choose_in_role(Role.MIDDLE, self._config, scene, seeds)
