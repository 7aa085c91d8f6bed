"""Constant size: every request of a client is one length, every answer one length (metrics section 3).

Clients fill requests up to a size, nodes and servers fill the answers they seal; all do it inside the onion,
so the client's link, the relays and the links between them see one length each way, and only the destination
knows what is really there. A client asks for no more than an answer of that size holds, and fetches the rest
with its next polls; a single message that is larger, or a file, takes a multiple. What nodes say in clear,
the refusals of relays among it, and what clients ask them in clear, such as the test of a guard, has the same
two lengths.

Not filled: what goes to no node and over no onion (lists from seed nodes, pushes, calls, link previews).

Source: metrics section 3 (padding buckets; constant-rate poll of fixed size); Dyer et al., Peek-a-Boo, I
Still See You, IEEE S&P 2012: padding that leaves more than one size leaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.protocol._defences import DEFENCES
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.snode import ServiceNode

_BASE64_STEP: Final = 4  # characters that come together (RFC 4648)
# Assumption: room for what stands around the messages of a poll: codes, hashes, signs of the end, escapes.
_AROUND_BYTES: Final = 1_500


@dataclass(frozen=True, slots=True)
class Config:
    """How long requests and answers are."""

    request_bytes: int = setting(
        6_000, unit="bytes", doc="Length of every request to or over nodes on the client's link, before TLS.",
        source="Assumption: holds a poll of five namespaces and a long text", low=2_000, high=10_000_000,
    )  # fmt: skip
    answer_bytes: int = setting(
        8_000, unit="bytes", doc="Length of every answer of a node, or over it; a multiple of four.",
        source="Assumption: holds a swarm's list of nodes and some messages", low=4_000, high=10_000_000,
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.answer_bytes % _BASE64_STEP:
            raise InvalidInput("answer", self.answer_bytes, "a multiple of four bytes")


@DEFENCES.register(config=Config, source="metrics section 3; Dyer et al., IEEE S&P 2012")
class ConstantSize:
    """One size for every request and one for every answer."""

    node_type: type[ServiceNode] = ServiceNode
    multiplexes: bool = False

    def __init__(self, config: Config) -> None:
        self._config = config

    def rules(self, rules: ClientRules) -> ClientRules:
        """Have polls ask for no more than an answer holds: half of it messages, the rest configs."""
        room = self._config.answer_bytes * 3 // 4 - _AROUND_BYTES
        others = max(1, len(rules.namespaces) - 1)
        return replace(rules, max_size_messages=room // 2, max_size_configs=room // 2 // others)

    def defend_client(self, client: Client) -> None:
        """Have requests filled."""
        client.requests.multiple_bytes = self._config.request_bytes

    def defend_node(self, node: ServiceNode) -> None:
        """Have answers filled."""
        node.replies.multiple_bytes = self._config.answer_bytes

    def defend_server(self, endpoint: OnionEndpoint) -> None:
        """Have answers filled."""
        endpoint.multiple_bytes = self._config.answer_bytes
