"""A contact (A15): the device of one chosen client, with the keys of its account."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._shared import clock_setting
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Whose device it is."""

    client: int = setting(
        0,
        doc="Number of the client, counted from 0.",
        source="Assumption: the first",
        low=0,
        high=100_000_000,
    )
    clock_offset_us: int = clock_setting()


@VANTAGES.register(config=Config, source="threat-model A15; metrics 2i, row recipient")
class Contact:
    """One client's own device: what the other side of its conversations learns."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate the client's endpoint. Raises InvalidInput for a client that is not there."""
        client, n = self._config.client, len(scene.client_endpoints)
        if client >= n:
            raise InvalidInput("vantage contact client", client, f"client numbers from 0 to {n - 1}")
        endpoint = scene.client_endpoints[client]
        return Position(operated=frozenset((endpoint,)), clock_offset_us=self._config.clock_offset_us)
