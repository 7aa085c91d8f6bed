"""The push server (A12): it is told of every stored message of those who subscribed."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._servers import PUSH, ServerConfig, run_servers
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=ServerConfig, source="threat-model A12; metrics 2h")
class PushServer:
    """Push server: accounts with their device tokens, and every message stored for them."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate what there is of it. Raises InvalidInput for a world without."""
        return run_servers((PUSH,), scene, self._config)
