"""The active adversary (A10): it operates nodes, may hold links of clients, and may know ids of accounts.

This is only where it stands, and what it sees from there. What it does there is declared apart, in sections
`interference`, each of which acts from the place of one vantage and only as that place allows; the log of its
acts belongs to its view. Any other vantage that operates nodes can act too.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._nodes import NodeChoice, chosen_nodes
from sessionsim.adversary.vantages._shared import random_order, share
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config(NodeChoice):
    """Which nodes it operates, whose links it holds, and whose ids it knows."""

    links: float = setting(
        0.0,
        unit="prob",
        doc="Share of clients whose links it holds, chosen at random.",
        source="threat-model A10: network or node; the default, a node operator, is an Assumption",
        low=0,
        high=1,
    )
    knows: tuple[int, ...] = setting(
        (),
        doc="Numbers of clients whose account ids it knows.",
        source="Assumption: nobody's",
    )


@VANTAGES.register(config=Config, source="threat-model A10; metrics 2g")
class Active:
    """Active adversary: operates nodes and may hold links, where it can interfere."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Choose nodes, links and acquaintances. Raises InvalidInput for what is not there."""
        config, clients = self._config, scene.client_endpoints
        wrong = [number for number in config.knows if not 0 <= number < len(clients)]
        if wrong:
            raise InvalidInput("vantage knows", wrong[0], f"client numbers from 0 to {len(clients) - 1}")
        held = random_order(seeds, "links", config.draw, clients)[: share(len(clients), config.links)]
        return Position(
            tapped=frozenset(held),
            operated=chosen_nodes(config, scene, seeds),
            clock_offset_us=config.clock_offset_us,
            known=frozenset(clients[number] for number in config.knows),
        )
