"""The machines of a run's servers, each made from its place and the rules of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MS
from sessionsim.network.servers import PlacedServer
from sessionsim.protocol.client.calls import MediaRules
from sessionsim.protocol.client.links import WebRules
from sessionsim.protocol.communities.rules import CommunityRules
from sessionsim.protocol.communities.server import CommunityServer
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.files.releases import newest
from sessionsim.protocol.files.server import FileServer
from sessionsim.protocol.files.server_rules import FileServerRules
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.server import PushServer
from sessionsim.protocol.push.subscription import SERVICES
from sessionsim.protocol.servers.behind_onion import ServerBehindOnion
from sessionsim.protocol.servers.platform import KEPT, PushPlatform
from sessionsim.protocol.servers.push import PushMachine
from sessionsim.protocol.servers.seed import SeedNode
from sessionsim.protocol.servers.turn import TurnServer
from sessionsim.protocol.servers.web import WebSite


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """What servers of each kind do. Args: file, push, community: limits; turn: media of calls; web: links."""

    file: FileServerRules = field(default_factory=FileServerRules)
    push: PushRules = field(default_factory=PushRules)
    community: CommunityRules = field(default_factory=CommunityRules)
    turn: MediaRules = field(default_factory=MediaRules)
    web: WebRules = field(default_factory=WebRules)


def room_token(room: int) -> str:
    """Give the name by which a room is asked for, from its number in the workload."""
    return f"room-{room}"


def server_of_room(room: int, n_communities: int) -> int:
    """Say which of the community servers has a room: they are dealt out in turn (Assumption)."""
    return room % n_communities


def platform_of_service(service: str) -> str:
    """Give the kind of server behind a push service."""
    return {"firebase": "google", "huawei": "huawei"}.get(service, "apple")


def _platforms(servers: Iterable[PlacedServer]) -> dict[str, int]:
    there = {server.kind: server.endpoint for server in servers}
    kinds = {service: platform_of_service(service) for service in SERVICES}
    return {service: there[kind] for service, kind in kinds.items() if kind in there}


def make_machines(
    servers: Sequence[PlacedServer],
    rules: ServiceRules,
    suite: Suite,
    seeds: Seeds,
    epoch_ms: int,
    nodes: NodeList,
    version: tuple[int, ...],
    rooms: Iterable[int],
) -> list[Machine]:
    """Make the machines of all servers of a world, in their order.

    Args:
        servers: as placed.
        rules: what each kind does.
        suite: cryptography.
        seeds: the root of all chance.
        epoch_ms: unix ms at simulated time 0.
        nodes: the node list at the start.
        version: storage server version, which seeds tell.
        rooms: numbers of the rooms that the workload knows.
    """
    n_communities = sum(server.kind == "community" for server in servers)
    known = sorted(set(rooms))
    machines: list[Machine] = []
    for server in servers:
        entropy = seeds.entropy("server", server.kind, server.number)
        if server.kind == "seed":
            machines.append(SeedNode(nodes, version))
            continue
        if server.kind in KEPT:
            machines.append(PushPlatform(KEPT[server.kind]))
            continue
        if server.kind == "web":
            machines.append(WebSite(rules.web.page_bytes))
            continue
        if server.kind == "turn":
            machines.append(TurnServer(1 + max(one.endpoint for one in servers)))
            continue
        if server.kind == "push":
            push = PushServer(rules.push, suite, entropy, epoch_ms)
            front = ServerBehindOnion(OnionEndpoint(suite, server.x, entropy, push.handle))
            machines.append(PushMachine(push, front, rules.push, nodes, _platforms(servers)))
            continue
        held: Callable[[], Iterable[str]] = tuple
        behind: FileServer | None = None
        if server.kind == "file":
            releases = newest(epoch_ms * US_PER_MS, rules.file.release_notes_bytes)
            behind = FileServer(rules.file, suite, entropy, epoch_ms, releases)
            handle = behind.handle
        else:
            community = CommunityServer(server.x.public, suite, rules.community, epoch_ms)
            for room in known:
                if server_of_room(room, n_communities) == server.number:
                    community.add_room(room_token(room), f"Room {room}", 0)
            handle, held = community.handle, community.held_names
        machines.append(ServerBehindOnion(OnionEndpoint(suite, server.x, entropy, handle), held, behind))
    return machines
