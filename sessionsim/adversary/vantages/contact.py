"""A contact, or a member of the same group (A15): one client's device, with its account's keys."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._clients import ClientChoice, chosen_client
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=ClientChoice, source="threat-model A15; metrics 2i, row recipient")
class Contact:
    """One client's own device: what the other side of its conversations learns."""

    def __init__(self, config: ClientChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate the client's endpoint. Raises InvalidInput for a client that is not there."""
        endpoint = scene.client_endpoints[chosen_client(self._config.client, scene)]
        return Position(operated=frozenset((endpoint,)), clock_offset_us=self._config.clock_offset_us)
