"""A seed node: tells new clients the network, and sees the address of everyone who asks (transport 4).

What it answers is the node list it has been told last; like a service node it learns of a new one by a
command. Seeds are service nodes too, so over QUIC they know `active_nodes_bin`, which libsession asks for.
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.machine import NOTHING, SEND, Effects
from sessionsim.protocol.wire.active_nodes import write_active_nodes
from sessionsim.protocol.wire.rpc_answers import quic_error
from sessionsim.protocol.wire.rpc_direct import read_direct
from sessionsim.protocol.wire.rpc_fields import Refused
from sessionsim.protocol.wire.seed_json import nodes_answer

HEAD: Final = "json_rpc"
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport


class SeedNode:
    """One seed node.

    Args:
        nodes: the node list at the start.
        version: storage server version that it tells of every node.
    """

    def __init__(self, nodes: NodeList, version: tuple[int, ...]) -> None:
        self._nodes, self._version = nodes, version

    def start(self, now_us: int) -> Effects:
        return NOTHING

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        transport = conn & _TRANSPORT
        if head == "storage_rpc" and transport == Transport.QUIC:
            return ((SEND, src, conn, exchange, *self._packed(payload), 0),)
        if head != HEAD or transport == Transport.OMQ:
            return NOTHING
        return ((SEND, src, conn, exchange, 200, nodes_answer(payload, self._nodes, self._version), 0),)

    def _packed(self, payload: bytes) -> tuple[int, bytes]:
        """Answer a request over QUIC: status, and the packed nodes or an error as its stream carries it."""
        try:
            method, _body = read_direct(payload)
        except Refused as refused:
            return refused.status, quic_error(refused.status, refused.text.encode())
        if method != "active_nodes_bin":
            return 404, quic_error(404, b"no such endpoint")
        return 200, write_active_nodes(self._nodes, self._version)

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        """Learn of a new node list: ("swarms", nodes, height). Others are not for it."""
        if command[0] == "swarms":
            self._nodes = command[1]
        return NOTHING

    def wake(self, now_us: int) -> Effects:
        return NOTHING
