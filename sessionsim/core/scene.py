"""What a vantage may look at to choose its place, and the place it chose.

A `Scene` holds only what anyone could know before the run: the public node list, where nodes stand, which
client endpoints exist and where the servers are. A `Position` is the outcome: links that are tapped,
endpoints that are operated, nodes looked at in one role only, keys and devices taken at some time. Positions
add up; a coalition is the union of its members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sessionsim.core.nodelist import NodeList


class Role(StrEnum):
    """What a service node is to one request. Which one is decided from what passes, not known ahead."""

    GUARD = "guard"  # clients talk to it
    MIDDLE = "middle"  # between guard and last hop
    LAST = "last-hop"  # passes requests on to the node or server they are for
    MEMBER = "swarm-member"  # requests are for it: it stores, answers and replicates


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
        path_hops: relays of each client's paths; 0 where platforms differ.
    """

    nodes: NodeList
    node_country: tuple[str, ...]
    client_endpoints: tuple[int, ...]
    client_country: tuple[str, ...]
    client_platform: tuple[str, ...]
    client_ids: tuple[bytes, ...]
    servers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    path_hops: int = 3  # Source: transport 3.1

    @property
    def endpoints(self) -> frozenset[int]:
        """Every endpoint there is."""
        servers = (end for ends in self.servers.values() for end in ends)
        return frozenset((*range(len(self.nodes)), *self.client_endpoints, *servers))


class Taking(NamedTuple):
    """Something taken from an endpoint at a time.

    Args:
        endpoint: whose.
        t_us: true time of the theft; what was gone by then is not taken.
        stays: the taker sees what the endpoint sends and gets from then on, and the passing keys it has and
            will have.
        copies: the taker has the passing keys too that the endpoint has at that moment, and none of later.
        fetches: the taker asks the swarms of the account and its groups then, and has what still lies there.

    Without any it has the lasting keys and nothing else.
    """

    endpoint: int
    t_us: int
    stays: bool
    copies: bool = False
    fetches: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where an observer stands.

    Args:
        tapped: endpoints whose links it can watch from outside (encrypted records, wire sizes).
        operated: endpoints it runs itself: it sees their application bytes and holds their keys.
        clock_offset_us: what its clock shows more than true time.
        in_role: nodes it runs, each with a role: it looks only at what they do in that role.
        taken: what it took from endpoints, and when.
        known: client endpoints whose account ids it knows from the start.
    """

    tapped: frozenset[int] = frozenset()
    operated: frozenset[int] = frozenset()
    clock_offset_us: int = 0
    in_role: frozenset[tuple[int, Role]] = frozenset()
    taken: frozenset[Taking] = frozenset()
    known: frozenset[int] = frozenset()

    def __or__(self, other: Position) -> Position:
        """Join two positions; the left one's clock is kept."""
        return Position(
            self.tapped | other.tapped,
            self.operated | other.operated,
            self.clock_offset_us,
            self.in_role | other.in_role,
            self.taken | other.taken,
            self.known | other.known,
        )

    @property
    def entered(self) -> frozenset[int]:
        """Endpoints that are operated, in whatever role or since whatever time."""
        ends = {end for end, _ in self.in_role} | {taking.endpoint for taking in self.taken if taking.stays}
        return self.operated | ends

    @property
    def watched(self) -> frozenset[int]:
        """Endpoints some of whose links it sees."""
        return self.tapped | self.entered

    def acting_as(self, role: Role) -> frozenset[int]:
        """Give the endpoints it sees everything of that they do in a role."""
        return self.operated | {end for end, its in self.in_role if its is role}

    def covers(self, other: Position) -> bool:
        """Say whether it stands everywhere the other one stands; clocks do not matter."""
        return (
            other.tapped <= self.tapped | self.operated
            and other.operated <= self.operated
            and all(end in self.operated or (end, role) in self.in_role for end, role in other.in_role)
            and all(self._took(taking) for taking in other.taken)
            and other.known <= self.known
        )

    def _took(self, wanted: Taking) -> bool:
        if wanted.fetches:  # what a swarm holds at one moment only who asks then has for sure
            return wanted in self.taken
        if wanted.endpoint in self.operated:
            return True
        return any(
            mine.endpoint == wanted.endpoint
            and mine.t_us <= wanted.t_us
            and mine.stays >= wanted.stays
            # A copy holds what was there at its own moment; who stayed since before has that too.
            and (not wanted.copies or mine.stays or mine == wanted)
            for mine in self.taken
        )
