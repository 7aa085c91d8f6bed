"""Who has got hold of a device (A17): its keys, and, if it stays there, what the device does from then on.

Malware stays: it sees all that the device sends and gets from then on, and every key that the device will
have. Who copies a device once, at a border for instance, and gives it back has the keys that were on it at
that moment. Either can ask the swarms of the account and of its groups, at the time of the theft, for all
that still lies there, and opens what those keys open of it; and either reads the texts that lie on the device
then, malware also those that come later. A copy reads nothing of later by itself; joined with one who has
kept ciphertexts (`coalition`) it opens what those keys open: everything under version 1, and under version 2
what was written in a window of time.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._clients import TheftChoice, chosen_client
from sessionsim.core.scene import Position, Scene, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class DeviceTheftChoice(TheftChoice):
    """From which device something is taken, when, and whether the thief stays."""

    stays: bool = setting(
        True,
        doc="Whether the thief stays on the device, as malware does, or copies it once and is gone.",
        source="threat-model A17; protocol-v2 12: a snapshot, after which the adversary is gone",
    )


@VANTAGES.register(config=DeviceTheftChoice, source="threat-model A17; metrics 2f")
class DeviceThief:
    """Thief of a device, or malware on it: its keys, and all it sends and gets from then on."""

    def __init__(self, config: DeviceTheftChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Take the device. Raises InvalidInput for a client that is not there."""
        config = self._config
        endpoint = scene.client_endpoints[chosen_client(config.client, scene)]
        taking = Taking(
            endpoint, config.at_us, config.stays, copies=not config.stays, fetches=config.asks_swarm
        )
        return Position(taken=frozenset((taking,)), clock_offset_us=config.clock_offset_us)
