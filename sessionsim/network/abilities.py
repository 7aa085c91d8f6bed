"""What clients are given beside polling and texts: the abilities that the wishes of a run need, and no other.

A part that nothing in a run needs would cost time and change nothing, so a run without files has clients that
look for none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from sessionsim.network.servers import PlacedServer
from sessionsim.protocol.client.files import Files
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.files.address import DEFAULT_SERVER, DEFAULT_X25519
from sessionsim.protocol.wire.onion_server import ServerAddress

if TYPE_CHECKING:
    from sessionsim.network.world import WorldSpec

# What clients have built in; of a server that this run lacks, its name leads nowhere.
_FILE_SERVER = ServerAddress(DEFAULT_SERVER.partition("//")[2], DEFAULT_X25519, "http")


def equip(
    client: Client, platform: str, spec: WorldSpec, servers: Sequence[PlacedServer], needed: Collection[str]
) -> None:
    """Give a client the parts that a run needs.

    Args:
        needed: what clients must be able to do (`core.intents.kinds_of`).
    """
    if "attachment" in needed:
        server = next((one.address for one in servers if one.kind == "file"), _FILE_SERVER)
        client.add(Files(client, server, spec.file_rules[platform]))
