"""What a world says of every endpoint beside its site: address, where its draws come from, whose headers.

Endpoints are in the order of a world: service nodes, first devices, further devices, servers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.view import Table
from sessionsim.network.clients import ClientPlace
from sessionsim.network.devices import Seat
from sessionsim.network.servers import PlacedServer
from sessionsim.network.wire_sizes import ANDROID, DESKTOP
from sessionsim.protocol.client.rules import ClientRules


def host_addresses(
    seats: Sequence[Seat], n_accounts: int, n_nodes: int, servers: Sequence[PlacedServer], seeds: Seeds
) -> list[int]:
    """Give each endpoint its draw address; that of a further device depends on nothing but itself."""
    further = [seat[:2] for seat in seats[n_accounts:]]
    return [
        *(seeds.address("host", endpoint) for endpoint in range(n_nodes + n_accounts)),
        *(seeds.address("host", "device", account, number) for account, number in further),
        *(seeds.address("host", "server", server.kind, server.number) for server in servers),
    ]


def header_families(
    seats: Sequence[Seat], rules: Mapping[str, ClientRules], n_nodes: int, n_servers: int
) -> bytes:
    """Give whose HTTP headers the requests of each endpoint have."""
    forms = [rules[seat.platform].body_style for seat in seats]
    clients = bytes(ANDROID if form == "android" else DESKTOP for form in forms)
    return bytes(n_nodes) + clients + bytes(n_servers)


def endpoints_table(nodes: NodeList, places: Sequence[ClientPlace], servers: Sequence[PlacedServer]) -> Table:
    """Give the table endpoint, ip (integer), port, node (is it a service node)."""
    ips = (*nodes.ip, *(place.ip for place in places), *(server.ip for server in servers))
    ports = (*nodes.port, *([0] * len(places)), *(server.port for server in servers))
    return {
        "endpoint": np.arange(len(ips), dtype=np.int32),
        "ip": np.array(ips, dtype=np.uint32),
        "port": np.array(ports, dtype=np.uint16),
        "node": np.arange(len(ips)) < len(nodes),
    }
