"""All servers that one foundation runs (A21): files, push, seeds and relays for calls."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._servers import FILE, PUSH, SEED, TURN, ServerConfig, run_servers
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=ServerConfig, source="threat-model A21")
class Foundation:
    """Everything the foundation runs: file server, push server, seed nodes, call relays."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate what there is of it. Raises InvalidInput for a world without."""
        return run_servers((FILE, PUSH, SEED, TURN), scene, self._config)
