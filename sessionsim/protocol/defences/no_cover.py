"""The null member of the family: everything stays as it is."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.protocol._defences import DEFENCES
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.snode import ServiceNode


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing to set."""


@DEFENCES.register(config=Config, source="style guide: every family has a null member; metrics section 3")
class NoCover:
    """No defence: requests have the sizes and leave at the times that they have and do."""

    node_type: type[ServiceNode] = ServiceNode
    multiplexes: bool = False

    def __init__(self, config: Config) -> None:
        self._config = config

    def rules(self, rules: ClientRules) -> ClientRules:
        """Give the rules as they are."""
        return rules

    def defend_client(self, client: Client) -> None:
        """Change nothing."""

    def defend_node(self, node: ServiceNode) -> None:
        """Change nothing."""

    def defend_server(self, endpoint: OnionEndpoint) -> None:
        """Change nothing."""
