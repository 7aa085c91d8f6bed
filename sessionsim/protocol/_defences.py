"""The family of defences: changes to what clients, nodes or servers do, against who watches from outside.

A defence is code of the protocol: its padding is bytes that are sent, its dummies are requests that nodes
answer. It is given to all clients, nodes and servers of a world before they start; several can be in force
together.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from sessionsim.core.registry import Registry
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.snode import ServiceNode


class Defence(Protocol):
    """What every drop-in of the family offers.

    Attributes:
        node_type: the machine that nodes are under it.
        multiplexes: whether requests that are under way at a time share a client's connection to a guard.
    """

    node_type: type[ServiceNode]
    multiplexes: bool

    def __init__(self, config: Any) -> None:
        """Take the settings of one defence of a scenario."""

    def rules(self, rules: ClientRules) -> ClientRules:
        """Give the rules that a client of these rules follows under the defence."""

    def defend_client(self, client: Client) -> None:
        """Change a client that has not started yet."""

    def defend_node(self, node: ServiceNode) -> None:
        """Change a node that has not started yet."""

    def defend_server(self, endpoint: OnionEndpoint) -> None:
        """Change the onion endpoint of a file, push or community server that has not started yet."""


DEFENCES: Final[Registry[type[Defence]]] = Registry("defence", "sessionsim.protocol.defences")
