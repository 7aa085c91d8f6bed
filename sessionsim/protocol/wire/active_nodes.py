"""The node list as packed records, the answer of active_nodes_bin (transport 5.8).

    Ed25519 key 32 ‖ swarm id 8 ‖ IPv4 4 ‖ HTTPS port 2 ‖ OMQ and QUIC port 2 ‖ version 3        big-endian

Source: session-storage-server: oxenss/snode/network.cpp all_nodes_blob.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.wire.rpc_answers import omq_port

_RECORD: Final = struct.Struct(">32sQIHH3s")
RECORD_BYTES: Final = _RECORD.size
assert RECORD_BYTES == 51  # Source: transport 5.8
_BYTE_MAX: Final = 255
_last: list[tuple[NodeList, bytes, bytes]] = []  # what was written last, for all who ask for the same


class ActiveNode(NamedTuple):
    """One record. Args: ip: IPv4 as an integer; version: three numbers."""

    ed25519: bytes
    swarm: int
    ip: int
    https_port: int
    omq_port: int
    version: tuple[int, ...]


def write_active_nodes(nodes: NodeList, version: Sequence[int]) -> bytes:
    """Write the nodes that have a swarm, by swarm and key.

    Args:
        nodes: the list.
        version: taken to be that of every node, since the list does not tell: an Assumption.
    """
    packed = bytes(min(number, _BYTE_MAX) for number in version[:3])
    if _last and _last[0][0] is nodes and _last[0][1] == packed:
        return _last[0][2]
    blob = b"".join(
        [
            _RECORD.pack(
                nodes.ed25519[node],
                swarm,
                nodes.ip[node],
                nodes.port[node],
                omq_port(nodes.port[node]),
                packed,
            )
            for swarm, members in nodes.members.items()
            for node in sorted(members, key=nodes.ed25519.__getitem__)
        ]
    )
    _last[:] = [(nodes, packed, blob)]
    return blob


def read_active_nodes(blob: bytes) -> list[ActiveNode]:
    """Read such records. Raises RemoteProtocolError: a record is cut off."""
    if len(blob) % RECORD_BYTES:
        raise RemoteProtocolError(f"active nodes come in records of {RECORD_BYTES} bytes")
    return [
        ActiveNode(key, swarm, ip, https, omq, tuple(version))
        for key, swarm, ip, https, omq, version in _RECORD.iter_unpack(blob)
    ]
