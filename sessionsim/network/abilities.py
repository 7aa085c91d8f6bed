"""What clients are given beside polling and texts: the abilities that the wishes of a run need, and no other.

A part that nothing in a run needs would cost time and change nothing, so a run without files has clients that
look for none. Fast mode is no wish but a setting of each device, drawn from a share.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from sessionsim.core.errors import InvalidInput
from sessionsim.network.devices import Seat
from sessionsim.network.server_machines import platform_of_service
from sessionsim.network.servers import PlacedServer
from sessionsim.protocol.client.files import Files
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.push import PushListener
from sessionsim.protocol.files.address import DEFAULT_SERVER, DEFAULT_X25519
from sessionsim.protocol.push.subscription import SERVER as PUSH_SERVER
from sessionsim.protocol.push.subscription import SERVER_X25519
from sessionsim.protocol.wire.onion_server import ServerAddress

if TYPE_CHECKING:
    from sessionsim.network.world import WorldSpec

# What clients have built in; of a server that this run lacks, its name leads nowhere.
_FILE_SERVER = ServerAddress(DEFAULT_SERVER.partition("//")[2], DEFAULT_X25519, "http")
_PUSH_SERVER = ServerAddress(PUSH_SERVER.partition("//")[2], SERVER_X25519)


def equip(
    client: Client, seat: Seat, spec: WorldSpec, servers: Sequence[PlacedServer], needed: Collection[str]
) -> None:
    """Give a client the parts that a run needs.

    Args:
        seat: the device it runs on.
        needed: what clients must be able to do (`core.intents.kinds_of`).

    Raises:
        InvalidInput: devices in fast mode on a platform that has none, or without their push platform.
    """
    there = {server.kind: server for server in reversed(servers)}
    if "attachment" in needed:
        file_server = there["file"].address if "file" in there else _FILE_SERVER
        client.add(Files(client, file_server, spec.file_rules[seat.platform]))
    if is_fast(seat, spec):
        rules = spec.push_rules[seat.platform]
        kind = platform_of_service(rules.service)
        if kind not in there:
            raise InvalidInput(f"servers.{kind}_in", "none", f"one, for devices with {rules.service}")
        push_server = there["push"].address if "push" in there else _PUSH_SERVER
        client.add(PushListener(client, push_server, there[kind].endpoint, rules))


def is_fast(seat: Seat, spec: WorldSpec) -> bool:
    """Say whether a device is in fast mode: drawn for each, so that a larger share only adds devices.

    Raises:
        InvalidInput: a share of desktops, which have no fast mode.
    """
    share = spec.push_rules[seat.platform].fast_prob
    if not share:
        return False
    if seat.platform == "desktop":
        raise InvalidInput("platform.desktop.push.fast", share, "0 %: desktops have no fast mode")
    return spec.seeds.address("push-mode", seat.account, seat.number) < share * 2.0**64
