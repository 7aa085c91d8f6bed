"""A TURN server: relays the media of calls, and sees the address of everyone who asks for that.

    client ──> allocate ──> answered
    client ──> media for somebody ──> the same, to that address

Who has not allocated relays nothing, and an allocation that is not used ends. Signatures of allocations, and
permissions for addresses, are left out: their bytes count, their content decides nothing here.
Source: client-behaviour 6.5; RFC 8656.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final

from sessionsim.core.columns import Transport
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.machine import NOTHING, SEND, Effects

ALLOCATE: Final = "turn_allocate"
MEDIA: Final = "media"
_UDP: Final = int(Transport.UDP)
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
LIFETIME_US: Final = 600 * US_PER_S  # of an allocation. Source: RFC 8656, section 3.2
# Attributes of an answer: relayed and own address, lifetime, integrity. Source: RFC 8656, section 7.2.
_ALLOCATED: Final = bytes(76)
_ADDRESS_BYTES: Final = 4


def write_relayed(endpoint: int, media: bytes) -> bytes:
    """Write media that the server is to pass on to an endpoint."""
    return endpoint.to_bytes(_ADDRESS_BYTES, "little") + media


class TurnServer:
    """One TURN server. Args: n_endpoints: how many endpoints there are; others are no addresses."""

    def __init__(self, n_endpoints: int) -> None:
        self._n_endpoints = n_endpoints
        self.allocations: dict[int, int] = {}  # endpoint -> when it ends, µs
        self._numbers = count(1)

    def start(self, now_us: int) -> Effects:
        return NOTHING

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        if conn & _TRANSPORT != _UDP:
            return NOTHING
        if head == ALLOCATE:
            self.allocations[src] = now_us + LIFETIME_US
            return ((SEND, src, conn, exchange, 200, _ALLOCATED, 0),)
        if head != MEDIA or self.allocations.get(src, -1) < now_us or len(payload) < _ADDRESS_BYTES:
            return NOTHING
        dst = int.from_bytes(payload[:_ADDRESS_BYTES], "little")
        if not 0 <= dst < self._n_endpoints or dst == src:
            return NOTHING
        self.allocations[src] = now_us + LIFETIME_US  # clients refresh what they use
        return ((SEND, dst, _UDP, next(self._numbers), MEDIA, payload[_ADDRESS_BYTES:], 0),)

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        return NOTHING

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        return NOTHING

    def wake(self, now_us: int) -> Effects:
        return NOTHING
