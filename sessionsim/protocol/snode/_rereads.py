"""What a node gives to a client that has been given it by another member of its swarm.

A client keeps a cursor for each node (client-behaviour 6.1), so every message comes to it once from each
member. Nothing here is answered to anybody: it is found out for polls in bulk (`network.trains`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sessionsim.protocol.stored import Message

if TYPE_CHECKING:
    from sessionsim.protocol.snode._storage_rpc import StorageRpc

INBOX: Final = 0  # namespace of direct messages. Source: transport 5.3


class Again(NamedTuple):
    """What the inbox of an account holds behind a cursor.

    Args:
        place: of the inbox among the boxes of the poll.
        messages: at least one, in the node's order; until_ms: these and no others lie there until then.
    """

    place: int
    messages: Sequence[Message]
    until_ms: int


def find_again(
    rpc: StorageRpc, account: bytes, cursors: Sequence[tuple[int, str]], max_size: int, now_ms: int
) -> Again | None:
    """Find what a poll would be given of the inbox, and of no other box.

    Args:
        cursors: namespace and last hash of each box that the poll reads.
        max_size: as the poll says for the inbox.

    Returns:
        None if another box has something too, if it is too much for one answer, if the node does not answer
        for the account, or if it does not tell what it holds.
    """
    if not rpc.is_ours(account) or rpc.reads != rpc.store.retrieve:
        return None
    store, found = rpc.store, None
    times_ms: list[int] = []
    for place, (namespace, last_hash) in enumerate(cursors):
        has_more, same_until_ms = store.has_after(account, namespace, last_hash, now_ms)
        if not has_more:
            times_ms.append(same_until_ms)
            continue
        if namespace != INBOX or found is not None:
            return None
        messages, more = store.peek(account, namespace, last_hash, rpc.most_bytes(max_size), now_ms)
        if more:
            return None
        found = place, messages
        # What lies before them tells where they begin.
        ends_ms = [one.expiry_ms for one in store.box(account, namespace)]
        times_ms.append(store.cleaned_ms(min(ends_ms)))
    return None if found is None else Again(*found, min(times_ms))
