"""A member of an account's swarm (A4): it stores, hands out and replicates what is in the inbox."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._roles import RoleChoice, choose_in_role
from sessionsim.core.scene import Position, Role, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=RoleChoice, source="threat-model A4; metrics 2d, 2i, row replica")
class SwarmMember:
    """Swarm members: accounts, signed polls, every store with size, lifetime and time; no addresses."""

    def __init__(self, config: RoleChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Run the chosen nodes, and see what they do as swarm members."""
        return choose_in_role(Role.MEMBER, self._config, scene, seeds)
