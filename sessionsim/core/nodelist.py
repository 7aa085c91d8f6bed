"""The list of service nodes as everybody has it: public keys, swarms and addresses.

Plain data; the rules that use it (nearest swarm, path exclusion) are in `protocol`. The position of a
node in the list is its endpoint number everywhere in a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NodeList:
    """All service nodes at one moment. Every tuple has one item per node, in endpoint order.

    Args:
        ed25519, x25519: public keys, 32 bytes each.
        swarm: 64-bit swarm id of each node.
        ip: IPv4 address as an integer, from a reserved block.
        port: storage HTTPS port.
    """

    ed25519: tuple[bytes, ...]
    x25519: tuple[bytes, ...]
    swarm: tuple[int, ...]
    ip: tuple[int, ...]
    port: tuple[int, ...]
    index: dict[bytes, int] = field(init=False, repr=False, compare=False)
    members: dict[int, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {key: i for i, key in enumerate(self.ed25519)})
        members: dict[int, list[int]] = {}
        for i, swarm in enumerate(self.swarm):
            members.setdefault(swarm, []).append(i)
        object.__setattr__(self, "members", {s: tuple(members[s]) for s in sorted(members)})

    def __len__(self) -> int:
        return len(self.ed25519)

    def net24(self, node: int) -> int:
        """Give the /24 network of a node as an integer."""
        return self.ip[node] >> 8

    def net16(self, node: int) -> int:
        """Give the /16 network of a node as an integer."""
        return self.ip[node] >> 16
