"""Who has learned an account's recovery phrase (A18): its keys from then on, and what its swarm still holds.

At the moment of the theft it asks the account's swarm for all that lies there and opens what the keys open:
under version 1 messages and configs within their lifetimes, under version 2 no messages. The configs lead on
to the account's groups, whose swarms it asks as a member, or an admin, would. It sees nothing that
passes later. Joined with one who has kept ciphertexts it opens what they kept, however old: `coalition` with
a swarm member is the archive that was harvested before.
"""

from __future__ import annotations

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._clients import TheftChoice, chosen_client
from sessionsim.core.scene import Position, Scene, Taking
from sessionsim.core.seeds import Seeds


@VANTAGES.register(config=TheftChoice, source="threat-model A18; metrics 2f")
class PhraseThief:
    """Thief of a recovery phrase: the account's lasting keys, and what its swarm holds at the theft."""

    def __init__(self, config: TheftChoice) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Take the keys. Raises InvalidInput for a client that is not there."""
        config = self._config
        endpoint = scene.client_endpoints[chosen_client(config.client, scene)]
        taking = Taking(endpoint, config.at_us, stays=False, fetches=config.asks_swarm)
        return Position(taken=frozenset((taking,)), clock_offset_us=config.clock_offset_us)
