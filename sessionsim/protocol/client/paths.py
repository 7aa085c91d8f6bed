"""Onion paths of one client: which nodes, chosen once, with fixed guards (transport 4).

Choices are drawn from the client's entropy by position, so the same client on the same node list always
builds the same paths. Time-based rotation, guard tests and repair are not built here yet: paths stay as made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.rules import ClientRules

HOPS = 3  # Source: transport 3.1

Path = tuple[int, int, int]


def number_at(entropy: Entropy, address: bytes, below: int) -> int:
    """Draw a whole number in 0..below-1 at an address. The modulo bias is below 2^-50 for lists of nodes."""
    return int.from_bytes(entropy.draw(address)[:8], "little") % below


def _random_nodes(nodes: Sequence[int], entropy: Entropy, purpose: bytes) -> Iterator[int]:
    """Give distinct nodes in random order, lazily; after some misses the rest in list order."""
    seen: set[int] = set()
    for k in range(20 * len(nodes)):
        node = nodes[number_at(entropy, b"path" + purpose + k.to_bytes(4, "little"), len(nodes))]
        if node not in seen:
            seen.add(node)
            yield node
    yield from (node for node in nodes if node not in seen)


def build_paths(nodes: NodeList, rules: ClientRules, entropy: Entropy) -> tuple[Path, ...]:
    """Choose `rules.paths` paths of three distinct nodes, no node in two of them.

    Subnet rules, on /24s: `none`; `guards`: the guards differ from each other; `each-kind`: so do the other
    nodes among themselves (a guard and another node may share one, as on desktop); `all`: all nodes of all
    paths differ.

    Raises:
        InvalidInput: the network is too small for so many distinct nodes or subnets.
    """
    rule = rules.path_subnet_rule
    guards: list[int] = []
    others: list[int] = []
    taken: set[int] = set()  # /24s that are used up
    for node in _random_nodes(nodes.active, entropy, b"g"):
        if len(guards) == rules.paths:
            break
        if rule == "none" or nodes.net24(node) not in taken:
            guards.append(node)
            taken.add(nodes.net24(node))
    if rule == "each-kind":
        taken.clear()
    apart = rule in ("each-kind", "all")
    for node in _random_nodes(nodes.active, entropy, b"m"):
        if len(others) == rules.paths * (HOPS - 1):
            break
        if node in guards or (apart and nodes.net24(node) in taken):
            continue
        others.append(node)
        taken.add(nodes.net24(node))
    if len(guards) < rules.paths or len(others) < rules.paths * (HOPS - 1):
        allowed = f"at least {rules.paths * HOPS} nodes" + ("" if rule == "none" else " in different /24s")
        raise InvalidInput("network", f"{len(nodes.active)} nodes for {rules.paths} paths", allowed)
    return tuple((guards[p], others[2 * p], others[2 * p + 1]) for p in range(rules.paths))
