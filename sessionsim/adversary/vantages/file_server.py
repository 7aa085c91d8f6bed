"""The file server (A13): it keeps blobs it cannot read."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._servers import FILE, ServerConfig, run_servers
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=ServerConfig, source="threat-model A13; metrics 2h")
class FileServer:
    """File server: sizes, ids and times of uploads and downloads, and the last hop."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate what there is of it. Raises InvalidInput for a world without."""
        return run_servers((FILE,), scene, self._config)
