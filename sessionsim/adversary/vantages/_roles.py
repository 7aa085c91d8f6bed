"""What the four vantages of one role share: which nodes, by default every one, looked at in that role only.

Who becomes guard, middle or last hop of whom is drawn by clients while the run goes on, and rotates. So such
a vantage chooses nodes ahead, and which of their transmissions it sees is decided from what passes
(`adversary.roles`). All nodes in one role is what any node in that role can learn, not a coalition to fear:
`fraction = "10 %"` makes one of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary.vantages._nodes import NodeChoice, chosen_nodes
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Role, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.protocol.client.path_rules import HOPS


@dataclass(frozen=True, slots=True)
class RoleChoice(NodeChoice):
    """Which service nodes are looked at in the role."""

    fraction: float = setting(
        1.0,
        unit="prob",
        doc="Share of all nodes, when chosen at random or by host, network or operator.",
        source="Assumption: every node, so that the role is seen whoever has it",
        low=0,
        high=1,
    )


def choose_in_role(role: Role, choice: NodeChoice, scene: Scene, seeds: Seeds) -> Position:
    """Run the chosen nodes and look at one role.

    Raises:
        InvalidInput: as `chosen_nodes` does; or paths are not as long as hop numbers are taken to say.
    """
    if scene.path_hops != HOPS:
        found = f"{role} on paths of {scene.path_hops or 'several numbers of'} relays"
        raise InvalidInput("kind", found, f"roles only where all paths have {HOPS} relays", "See path_hops.")
    nodes = chosen_nodes(choice, scene, seeds)
    return Position(in_role=frozenset((node, role) for node in nodes), clock_offset_us=choice.clock_offset_us)
