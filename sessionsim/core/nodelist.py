"""The list of service nodes as everybody has it: public keys, swarms and addresses.

Plain data; the rules that use it (nearest swarm, path exclusion) are in `protocol`. The position of a
node in the list is its endpoint number everywhere in a run. So a list keeps a place for nodes that are not
registered at its moment, or are but serve in no swarm; for most purposes only the `active` ones are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

UNASSIGNED: Final = (1 << 64) - 1  # in place of a swarm: registered, but in none. Source: transport 2.1
ABSENT: Final = -1  # in place of a swarm: not registered at this moment


@dataclass(frozen=True, slots=True)
class NodeList:
    """All service nodes at one moment. Every tuple has one item per node, in endpoint order.

    Args:
        ed25519, x25519: public keys, 32 bytes each.
        swarm: 64-bit swarm id of each node, UNASSIGNED or ABSENT.
        ip: IPv4 address as an integer, from a reserved block.
        port: storage HTTPS port.

    `index` finds registered nodes by key, `members` has those of each swarm, `active` all of these,
    `swarm_ids` the swarms; all ascending.
    """

    ed25519: tuple[bytes, ...]
    x25519: tuple[bytes, ...]
    swarm: tuple[int, ...]
    ip: tuple[int, ...]
    port: tuple[int, ...]
    index: dict[bytes, int] = field(init=False, repr=False, compare=False)
    members: dict[int, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    active: tuple[int, ...] = field(init=False, repr=False, compare=False)
    swarm_ids: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        members: dict[int, list[int]] = {}
        for i, swarm in enumerate(self.swarm):
            members.setdefault(swarm, []).append(i)
        absent = members.pop(ABSENT, [])
        members.pop(UNASSIGNED, None)
        index = {key: i for i, key in enumerate(self.ed25519)}
        for i in absent:
            index.pop(self.ed25519[i], None)
        active = tuple(sorted(i for nodes in members.values() for i in nodes))
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "members", {s: tuple(members[s]) for s in sorted(members)})
        object.__setattr__(self, "active", active)
        object.__setattr__(self, "swarm_ids", tuple(self.members))

    def __len__(self) -> int:
        return len(self.ed25519)

    def swarm_of(self, node: int) -> int | None:
        """Give the swarm of a node; None if it has none."""
        swarm = self.swarm[node]
        return swarm if swarm in self.members else None

    def net24(self, node: int) -> int:
        """Give the /24 network of a node as an integer."""
        return self.ip[node] >> 8

    def net16(self, node: int) -> int:
        """Give the /16 network of a node as an integer."""
        return self.ip[node] >> 16
