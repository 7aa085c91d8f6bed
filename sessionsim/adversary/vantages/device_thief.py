"""Who has got hold of a device, or has malware on it (A17): its keys, and what it does from then on."""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._clients import TheftChoice, chosen_client
from sessionsim.core.scene import Position, Scene, Taking
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=TheftChoice, source="threat-model A17; metrics 2f")
class DeviceThief:
    """Thief of a device, or malware on it: its keys, and all it sends and gets from then on."""

    def __init__(self, config: TheftChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Take the device. Raises InvalidInput for a client that is not there."""
        config = self._config
        endpoint = scene.client_endpoints[chosen_client(config.client, scene)]
        taking = Taking(endpoint, config.at_us, stays=True)
        return Position(taken=frozenset((taking,)), clock_offset_us=config.clock_offset_us)
