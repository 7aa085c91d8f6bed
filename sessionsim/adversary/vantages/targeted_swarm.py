"""An attacker with nodes in one victim's swarm (A6), however it got them there.

Placement is the network's, so getting there has a price (threat-model 4), which is not modelled here: the
vantage says what k members show once they are in place.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._clients import ClientChoice, chosen_client
from sessionsim.adversary.vantages._shared import draw_setting, random_order
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.protocol.swarms import nearest_swarm, swarm_position


@dataclass(frozen=True, slots=True)
class Config(ClientChoice):
    """Whose swarm, and how much of it."""

    members: int = setting(
        1,
        doc="How many members of the victim's swarm it runs.",
        source="Assumption: one, which is enough to watch (threat-model 4)",
        low=1,
        high=100,
    )
    draw: int = draw_setting()


@VANTAGES.register(config=Config, source="threat-model A6; Q6")
class TargetedSwarm:
    """Some members of one victim's swarm, with all else that passes these nodes."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Operate members. Raises InvalidInput for a client that is not there, or more members than are."""
        config, nodes = self._config, scene.nodes
        account = scene.client_ids[chosen_client(config.client, scene)]
        swarm = nearest_swarm(swarm_position(account[1:]), sorted(nodes.members))
        members = nodes.members.get(swarm, ()) if swarm is not None else ()
        if config.members > len(members):
            raise InvalidInput("vantage members", config.members, f"at most {len(members)}, all of the swarm")
        order = random_order(seeds, "targeted-swarm", config.draw, members)
        operated = frozenset(order[: config.members])
        return Position(operated=operated, clock_offset_us=config.clock_offset_us)
