"""Reading node lists as nodes and seed nodes give them, and finding what several of them agree on.

Everybody's list is nearly the same, and hundreds of clients read it every hour: the last few answers are
remembered by their bytes, apart from the time stamp at their end. That is a memo of a pure function.
"""

from __future__ import annotations

import binascii
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.client.pool import Listing, directory_of
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.active_nodes import read_active_nodes
from sessionsim.protocol.wire.seed_json import read_nodes

_REMEMBERED: Final = 8  # Assumption: as many different answers as clients meet within a while
_STAMP: Final = b'"t":'
_NO_ADDRESS: Final = "0.0.0.0"  # noqa: S104 (what the daemon writes for nodes without one, no socket)
# What was read lately: reader, directory, bytes without their end -> listing.
_memo: list[tuple[str, dict[bytes, int], bytes, Listing]] = []

Reader = Callable[[bytes, dict[bytes, int]], Listing]


def read_listing(kind: str, answer: bytes, nodes: NodeList) -> Listing:
    """Read an answer.

    Args:
        kind: "oxend" (a batch with one get_service_nodes), "packed" (in base64), "raw" (packed, without it),
            "seed".
        answer: any bytes.
        nodes: says which endpoint stands under a key; keys of nobody are left out.

    Raises:
        RemoteProtocolError: not such an answer.
    """
    directory = directory_of(nodes)
    head = answer[: answer.rfind(_STAMP)] if kind == "oxend" else answer
    for known_kind, known_directory, known_head, listing in _memo:
        if known_kind == kind and known_directory is directory and known_head == head:
            return listing
    listing = _READERS[kind](answer, directory)
    _memo.insert(0, (kind, directory, head, listing))
    del _memo[_REMEMBERED:]
    return listing


def _read_oxend(answer: bytes, directory: dict[bytes, int]) -> Listing:
    batch = rpc.read_batch(answer)
    if len(batch) != 1 or batch[0][0] != 200:
        raise RemoteProtocolError("no node list in the batch")
    result = batch[0][1].get("result")
    states = result.get("service_node_states") if isinstance(result, dict) else None
    if not isinstance(states, list):
        raise RemoteProtocolError("a node list without nodes")
    return _from_states(states, directory)


def _read_seed(answer: bytes, directory: dict[bytes, int]) -> Listing:
    return _from_states(read_nodes(answer), directory)


def _from_states(states: Sequence[Any], directory: dict[bytes, int]) -> Listing:
    """Take the nodes that have an address. Source: session-desktop: getServiceNodesList.ts."""
    found: dict[int, None] = {}
    for state in states:
        if not isinstance(state, dict) or state.get("public_ip") in (None, "", _NO_ADDRESS):
            continue
        node = directory.get(_key(state.get("pubkey_ed25519")))
        if node is not None:
            found[node] = None
    return Listing(tuple(found))


def _key(text: object) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _read_packed(answer: bytes, directory: dict[bytes, int]) -> Listing:
    try:
        return _read_raw(binascii.a2b_base64(answer, strict_mode=True), directory)
    except ValueError as wrong:
        raise RemoteProtocolError("packed nodes that are not base64") from wrong


def _read_raw(answer: bytes, directory: dict[bytes, int]) -> Listing:
    found: dict[int, int] = {}
    for record in read_active_nodes(answer):
        node = directory.get(record.ed25519)
        if node is not None and record.ip:
            found[node] = record.swarm
    return Listing(tuple(found), tuple(found.values()))


_READERS: Final[dict[str, Reader]] = {
    "oxend": _read_oxend, "packed": _read_packed, "raw": _read_raw, "seed": _read_seed,
}  # fmt: skip


def agreed(listings: Iterable[Listing], times: int) -> Listing:
    """Give the nodes that stand in at least so many lists; each in its swarm of the first that has it."""
    lists = list(listings)
    if lists and len(lists) >= times and all(one is lists[0] for one in lists):
        return lists[0]
    count = Counter(node for one in lists for node in one.order)
    swarm: dict[int, int] = {}
    for one in lists:
        for swarm_id, members in one.members.items():
            for node in members:
                swarm.setdefault(node, swarm_id)
    order = tuple(node for node, seen in count.items() if seen >= times)
    return Listing(order, [swarm[node] for node in order] if all(node in swarm for node in order) else ())
