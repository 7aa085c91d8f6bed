"""The push platforms of Apple, Google and Huawei (A11): device tokens and sealed payloads."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._servers import APPLE, GOOGLE, HUAWEI, ServerConfig, run_servers
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=ServerConfig, source="threat-model A11; metrics 2h")
class PushPlatform:
    """Apple, Google and Huawei: device tokens, and time and size class of each notification."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate what there is of it. Raises InvalidInput for a world without."""
        return run_servers((APPLE, GOOGLE, HUAWEI), scene, self._config)
