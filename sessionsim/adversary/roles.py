"""In which role a node has each of its transmissions, decided from what passes it.

A node that somebody runs is guard to one client, middle to another and swarm member to a third, all at once.
An observer that is to know only what one role shows looks at the rows of that role alone:

    client and node speak          guard
    node-to-node onion request     by its hop number h: sender guard, middle, last hop for h = 1, 2, 3;
                                   receiver middle, last hop, swarm member
    node asks a server             last hop
    storage traffic of nodes       swarm member: replication, transfers, subscriptions and notifications
    answers                        as the request they answer

What is in no role, such as mutual tests of nodes, and onion requests whose bytes were not kept, is seen in
none. Source: threat-model 3.1 (A1-A4), transport 3.5, 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.errors import ProtocolError
from sessionsim.core.scene import Role
from sessionsim.core.view import Table
from sessionsim.protocol.client.path_rules import HOPS
from sessionsim.protocol.wire.onion import decode_hop

Roles = npt.NDArray[np.int8]

# Of each request: connection, exchange, sender, receiver -> their roles.
Pending = dict[tuple[int, int, int, int], tuple[int, int]]

ROLES: Final = tuple(Role)  # a role's number is its place here
_NONE: Final = -1
_GUARD, _MIDDLE, _LAST, _MEMBER = (ROLES.index(role) for role in Role)
_ON_THE_WAY: Final = (_GUARD, _MIDDLE, _LAST)
assert len(_ON_THE_WAY) == HOPS

_HOP: Final = HEAD_CODE["sn.onion_request"]
_POSTS: Final = tuple(HEAD_CODE[head] for head in ("lsrpc", "lsrpc/v3", "lsrpc/v4"))
_STORAGE: Final = tuple(
    HEAD_CODE[head]
    for head in ("sn.storage_cc", "sn.data", "sn.data_ready", "monitor", "notify", "monitor_ended")
)


def roles_of(
    records: Table,
    blobs: Mapping[int, bytes],
    n_nodes: int,
    servers: Mapping[int, str],
    pending: Pending | None = None,
) -> tuple[Roles, Roles]:
    """Give the roles of both ends of each transmission.

    Args:
        records: columns of `core.columns.DTYPE`, shape (n,) each.
        blobs: kept byte strings by number.
        n_nodes: endpoints below it are service nodes.
        servers: endpoints of servers.
        pending: roles of requests in records before these, for their answers; these are added.

    Returns:
        Numbers of ROLES for sender and receiver, shape (n,) each; -1 for no role. Ends that are no nodes
        have none.
    """
    src, dst, head = (records[name].astype(np.int64) for name in ("src", "dst", "head"))
    request = records["direction"] == 0
    sender = np.full(len(src), _NONE, np.int8)
    receiver = sender.copy()
    from_client, to_client = (
        (end >= n_nodes) & ~np.isin(end, np.fromiter(servers, np.int64, len(servers))) for end in (src, dst)
    )
    receiver[from_client & (dst < n_nodes)] = _GUARD
    sender[to_client & (src < n_nodes)] = _GUARD
    between = request & ~from_client & ~to_client
    sender[between & np.isin(head, _POSTS)] = _LAST
    stored = between & np.isin(head, _STORAGE)
    sender[stored] = receiver[stored] = _MEMBER
    for row in np.flatnonzero(between & (head == _HOP)).tolist():
        sender[row], receiver[row] = _of_hop(blobs.get(int(records["blob"][row]), b""))
    answers = ~from_client & ~to_client & ~request
    _answer(records, sender, receiver, answers, {} if pending is None else pending)
    sender[src >= n_nodes] = _NONE
    receiver[dst >= n_nodes] = _NONE
    return sender, receiver


def _of_hop(payload: bytes) -> tuple[int, int]:
    try:
        hop = decode_hop(payload)[3]
    except ProtocolError:
        return _NONE, _NONE
    return tuple(_ON_THE_WAY[k] if k < HOPS else _MEMBER for k in (hop - 1, hop))  # type: ignore[return-value]


def _answer(
    records: Table, sender: Roles, receiver: Roles, wanted: npt.NDArray[np.bool_], pending: Pending
) -> None:
    """Give answers between nodes the roles of the requests before them on the same connection."""
    columns = (records[name].tolist() for name in ("conn", "exchange", "src", "dst", "direction"))
    for row, (conn, exchange, src, dst, direction) in enumerate(zip(*columns, strict=True)):
        if direction == 0:
            pending[conn, exchange, src, dst] = (int(sender[row]), int(receiver[row]))
        elif wanted[row]:
            asked = pending.get((conn, exchange, dst, src))
            if asked is not None:
                sender[row], receiver[row] = asked[1], asked[0]
