"""A server that last hops post to: file server, community (transport 3.5, 3.7).

It answers whatever comes as HTTP(S), from nodes and strangers alike, and has nothing to do by itself. It
never learns who asks: the bytes name the client's ephemeral key and no address but the last hop's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.machine import NOTHING, SEND, Effects

_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
# Source: transport 3.5: storage servers take no larger body; that a server does not either is an Assumption.
MAX_BYTES: Final = 10 * 1024 * 1024


class ServerBehindOnion:
    """A machine around one onion endpoint.

    Args:
        endpoint: opens, serves and seals.
        held: gives the names of the messages that the server keeps; files are none.
        server: what answers behind the onion.
    """

    def __init__(
        self, endpoint: OnionEndpoint, held: Callable[[], Iterable[str]] = tuple, server: object = None
    ) -> None:
        self.endpoint, self.held_hashes, self.server = endpoint, held, server

    def start(self, now_us: int) -> Effects:
        return NOTHING

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        if type(head) is not str or conn & _TRANSPORT != Transport.HTTPS:
            return NOTHING
        if len(payload) > MAX_BYTES:
            return ((SEND, src, conn, exchange, 413, b"Payload Too Large", 0),)
        status, body = self.endpoint.post(head, payload, now_us)
        return ((SEND, src, conn, exchange, status, body, 0),)

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        return NOTHING

    def wake(self, now_us: int) -> Effects:
        return NOTHING
