"""What a client knows of the network: a listing of service nodes, and which of them it has given up.

A `Listing` never changes and is shared by all clients that hold the same one; a `Pool` belongs to one client.
Nodes are endpoint numbers: the client learns keys and addresses, and one directory of the whole world says
which endpoint stands at them. Keys that nobody in the world has are left out when a list is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy

_NEVER_US: Final = 1 << 62
_MISSES: Final = 20  # draws for each node before the rest is taken in order


def number_at(entropy: Entropy, address: bytes, below: int) -> int:
    """Draw a whole number in 0..below-1 at an address. The modulo bias is below 2^-50 for lists of nodes."""
    return int.from_bytes(entropy.draw(address)[:8], "little") % below


class Listing:
    """A list of nodes as somebody gave it.

    Args:
        order: endpoint numbers, each once, in the order of the list.
        swarm: swarm id of each; empty for lists that do not tell.
    """

    __slots__ = ("members", "nodes", "order", "swarm_ids")

    def __init__(self, order: Sequence[int], swarm: Sequence[int] = ()) -> None:
        self.order = tuple(order)
        self.nodes = frozenset(self.order)
        members: dict[int, list[int]] = {}
        for node, swarm_id in zip(self.order, swarm, strict=False):
            members.setdefault(swarm_id, []).append(node)
        self.members = {swarm_id: tuple(members[swarm_id]) for swarm_id in sorted(members)}
        self.swarm_ids = tuple(self.members)

    def __len__(self) -> int:
        return len(self.order)


_NOTHING: Final = Listing(())
_last: list[tuple[NodeList, Listing]] = []  # the last one made; worlds make thousands of clients of one list


def listing_of(nodes: NodeList) -> Listing:
    """Give the listing of all active nodes of a node list, in its order."""
    if _last and _last[0][0] is nodes:
        return _last[0][1]
    listing = Listing(nodes.active, [nodes.swarm[node] for node in nodes.active])
    _last[:] = [(nodes, listing)]
    return listing


_directory: list[tuple[NodeList, dict[bytes, int]]] = []


def directory_of(nodes: NodeList) -> dict[bytes, int]:
    """Give the endpoint that stands under each Ed25519 key, of all nodes there ever are in a world."""
    if not (_directory and _directory[0][0] is nodes):
        _directory[:] = [(nodes, {key: node for node, key in enumerate(nodes.ed25519)})]
    return _directory[0][1]


class Pool:
    """The nodes one client knows. Args: listing: those it begins with; None for none."""

    __slots__ = ("_dropped", "listing", "version")

    def __init__(self, listing: Listing | None) -> None:
        self.listing = listing or _NOTHING
        self.version = 0  # grows whenever a node comes or goes
        self._dropped: dict[int, int] = {}  # node -> until when (µs) it is not to be used

    def __len__(self) -> int:
        return len(self.listing) - len(self._dropped)

    def __contains__(self, node: object) -> bool:
        return node in self.listing.nodes and node not in self._dropped

    def replace(self, listing: Listing) -> None:
        """Take a new list; what had been given up for good is known again if it stands there."""
        self._dropped = {
            node: until_us
            for node, until_us in self._dropped.items()
            if until_us != _NEVER_US and node in listing.nodes
        }
        self.listing = listing
        self.version += 1

    def drop(self, node: int, until_us: int | None = None) -> None:
        """Give a node up. Args: until_us: until when; None for as long as this list is used."""
        if node in self.listing.nodes:
            self._dropped[node] = _NEVER_US if until_us is None else until_us
            self.version += 1

    def forgive(self, now_us: int) -> None:
        """Take nodes back whose time is up."""
        over = [node for node, until_us in self._dropped.items() if until_us <= now_us]
        for node in over:
            del self._dropped[node]
            self.version += 1

    def draws(self, entropy: Entropy, address: bytes) -> Iterator[int]:
        """Give distinct usable nodes in random order, lazily; after many misses the rest in list order.

        Args:
            address: begins the addresses of the draws; the number of the draw is put behind it.
        """
        order, dropped = self.listing.order, self._dropped
        count = len(order)
        seen: set[int] = set()
        for k in range(_MISSES * count):
            node = order[number_at(entropy, address + k.to_bytes(4, "little"), count)]
            if node not in seen:
                seen.add(node)
                if node not in dropped:
                    yield node
        yield from (node for node in order if node not in seen and node not in dropped)

    def pick(self, entropy: Entropy, address: bytes) -> int | None:
        """Give one usable node at random; None if there is none."""
        if not self._dropped and self.listing.order:
            return self.listing.order[number_at(entropy, address, len(self.listing.order))]
        if len(self) <= 0:
            return None
        node = self.listing.order[number_at(entropy, address, len(self.listing.order))]
        return node if node not in self._dropped else next(self.draws(entropy, address))
