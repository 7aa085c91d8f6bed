"""Storage calls to a group's swarm, in the name of an admin or of a member (messages 4.4, transport 5.2).

Each is written anew for every attempt, since its signature holds for a minute; so what is passed around is a
function of the client's clock (`Write`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.wire import rpc, rpc_signed, rpc_write

if TYPE_CHECKING:
    from sessionsim.protocol.client.groups.standing import Standing

# Writes a call at a time of the client's clock, unix ms.
Write = Callable[[int], rpc.Call]


def store(style: rpc.BodyStyle, standing: Standing, namespace: int, data: bytes, ttl_us: int) -> Write:
    """Store bytes in one of the group's namespaces. Args: ttl_us: lifetime asked for."""

    def write(now_ms: int) -> rpc.Call:
        signature = standing.sign(rpc_signed.namespaced_text("store", namespace, now_ms))
        return rpc_write.signed_store_call(
            style, standing.asker, namespace, data, now_ms, ttl_us // US_PER_MS, signature
        )

    return write


def delete(style: rpc.BodyStyle, standing: Standing, hashes: Sequence[str]) -> Write:
    """Delete stored messages by hash."""

    def write(_now_ms: int) -> rpc.Call:
        signature = standing.sign(rpc_signed.delete_text(hashes))
        return rpc_write.delete_call(style, standing.asker, hashes, signature)

    return write


def revoke(style: rpc.BodyStyle, standing: Standing, tokens: Sequence[bytes], *, undo: bool = False) -> Write:
    """Make members' tokens invalid or, to undo that, valid again."""
    method = "unrevoke_subaccount" if undo else "revoke_subaccount"

    def write(now_ms: int) -> rpc.Call:
        signature = standing.sign(rpc_signed.tokens_text(method, now_ms, tokens))
        return rpc_write.revoke_call(style, standing.asker, tokens, now_ms, signature, undo=undo)

    return write


def extend(style: rpc.BodyStyle, standing: Standing, hashes: Sequence[str], expiry_ms: int) -> rpc.Call:
    """Extend the life of stored messages; never shortens it. Args: expiry_ms: unix ms."""
    signature = standing.sign(rpc_signed.expire_text("extend", [expiry_ms], hashes))
    return rpc_write.expire_call(style, standing.asker, hashes, [expiry_ms], signature, "extend")
