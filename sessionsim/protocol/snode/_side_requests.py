"""Requests that are neither onions nor storage RPC: pings, transfers, subscriptions (transport 5.10-5.12).

    ping_test    HTTPS   anybody     the node's old key, which the real answer has in a header
    sn.ping      OMQ     nodes       pong
    snode_ping   QUIC    anybody     pong
    sn.data, sn.data_ready   OMQ   nodes
    monitor  OMQ, QUIC       anybody     on OMQ the real name is monitor.messages

Source: session-storage-server: oxenss/server/https.cpp, omq.cpp, quic.cpp.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.columns import Transport
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.snode._monitors import Monitors
from sessionsim.protocol.snode._upkeep import Upkeep
from sessionsim.protocol.wire.rpc_results import text_of_key

_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
_HTTPS, _QUIC, _OMQ = int(Transport.HTTPS), int(Transport.QUIC), int(Transport.OMQ)
_PONG: Final = b"pong"
# The old ("legacy") key of a node is taken to be its Ed25519 key: an Assumption, see rpc_answers.swarm_body.
_HEADER: Final = b"X-Oxen-Snode-Pubkey: "


class SideRequests:
    """What a node answers to them.

    Args:
        key: its Ed25519 key.
        count: nodes in the list.
        upkeep: takes what others hand on.
        monitors: takes subscriptions.
        epoch_ms: unix ms of simulated time 0.
    """

    def __init__(self, key: bytes, count: int, upkeep: Upkeep, monitors: Monitors, epoch_ms: int) -> None:
        self._key, self.count, self._upkeep, self._monitors, self.epoch_ms = (
            key,
            count,
            upkeep,
            monitors,
            epoch_ms,
        )

    def answer(self, src: int, conn: int, head: str, payload: bytes, now_us: int) -> tuple[int, bytes] | None:
        """Give status and bytes of the answer; None for silence."""
        transport = conn & _TRANSPORT
        if transport == _HTTPS:
            return (200, _HEADER + text_of_key(self._key)) if head == "ping_test" else None
        if head == "monitor":
            return 200, self._monitors.subscribe(src, conn, payload, now_us)
        if transport == _QUIC:
            return (200, _PONG) if head == "snode_ping" else None
        if transport != _OMQ or not 0 <= src < self.count:
            return None
        if head == "sn.ping":
            return 200, _PONG
        if head == "sn.data":
            self._upkeep.given(payload, now_us // US_PER_MS + self.epoch_ms)
            return 200, b""
        if head == "sn.data_ready":
            return 200, self._upkeep.asked(src, payload, now_us)
        return None
