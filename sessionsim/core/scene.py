"""What a vantage may look at to choose its place, and the place it chose.

A `Scene` holds only what anyone could know before the run: the public node list, where nodes stand, which
client endpoints exist and where the servers are. A `Position` is the outcome: links that are tapped and
endpoints that are operated. Positions add up; a coalition is the union of its members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sessionsim.core.nodelist import NodeList


@dataclass(frozen=True, slots=True)
class Scene:
    """The stage of one replicate.

    Args:
        nodes: the public node list; node endpoints are 0..len(nodes)-1.
        node_country: two-letter registration country per node.
        client_endpoints: endpoint numbers of clients, ascending: the first devices of all accounts in the
            order of the accounts, then further devices.
        client_country, client_platform: one per client endpoint.
        client_ids: account id (33 bytes) per client endpoint, the same for all devices of an account; for
            vantages that know whom they look for.
        servers: kind of server, for example `file` or `push` -> its endpoints; no kind that is not there.
    """

    nodes: NodeList
    node_country: tuple[str, ...]
    client_endpoints: tuple[int, ...]
    client_country: tuple[str, ...]
    client_platform: tuple[str, ...]
    client_ids: tuple[bytes, ...]
    servers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Position:
    """Where an observer stands.

    Args:
        tapped: endpoints whose links it can watch from outside (encrypted records, wire sizes).
        operated: endpoints it runs itself: it sees their application bytes and holds their keys.
        clock_offset_us: what its clock shows more than true time.
    """

    tapped: frozenset[int] = frozenset()
    operated: frozenset[int] = frozenset()
    clock_offset_us: int = 0

    def __or__(self, other: Position) -> Position:
        """Join two positions; the left one's clock is kept."""
        return Position(self.tapped | other.tapped, self.operated | other.operated, self.clock_offset_us)
