"""A stranger who knows account ids (A16): somebody posted them, or they were found on a card.

It sees nothing that passes. What it knows is enough to recognise these accounts where others see names that
are made from an id, so its part shows in coalitions.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._clients import chosen_client
from sessionsim.adversary.vantages._shared import clock_setting
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Whom it knows of."""

    clients: tuple[int, ...] = setting(
        (0,), doc="Clients whose account ids it knows, counted from 0.", source="Assumption: the first"
    )
    clock_offset_us: int = clock_setting()


@VANTAGES.register(config=Config, source="threat-model A16")
class Stranger:
    """Somebody who knows account ids and sees nothing else."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Know the ids. Raises InvalidInput for a client that is not there."""
        known = (scene.client_endpoints[chosen_client(client, scene)] for client in self._config.clients)
        return Position(known=frozenset(known), clock_offset_us=self._config.clock_offset_us)
