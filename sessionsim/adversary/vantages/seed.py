"""The seed nodes (A20): where a new client asks for the list of nodes."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._servers import SEED, ServerConfig, run_servers
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=ServerConfig, source="threat-model A20")
class SeedNodes:
    """Seed nodes: addresses of clients that ask for the node list, and when."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate what there is of it. Raises InvalidInput for a world without."""
        return run_servers((SEED,), scene, self._config)
