"""Onion paths of one client: which nodes, chosen once, with fixed guards (transport 4).

Choices are drawn from the client's entropy by position, so the same client on the same node list always
builds the same paths. Time-based rotation, guard tests and repair are not built here yet: paths stay as made.
"""

from __future__ import annotations

from collections.abc import Iterator

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client_rules import ClientRules

HOPS = 3  # Source: transport 3.1

Path = tuple[int, int, int]


def number_at(entropy: Entropy, address: bytes, below: int) -> int:
    """Draw a whole number in 0..below-1 at an address. The modulo bias is below 2^-50 for lists of nodes."""
    return int.from_bytes(entropy.draw(address)[:8], "little") % below


def _random_nodes(n_nodes: int, entropy: Entropy, purpose: bytes) -> Iterator[int]:
    """Give distinct nodes in random order, lazily; after some misses the rest in list order."""
    seen: set[int] = set()
    for k in range(20 * n_nodes):
        node = number_at(entropy, b"path" + purpose + k.to_bytes(4, "little"), n_nodes)
        if node not in seen:
            seen.add(node)
            yield node
    yield from (node for node in range(n_nodes) if node not in seen)


def build_paths(nodes: NodeList, rules: ClientRules, entropy: Entropy) -> tuple[Path, ...]:
    """Choose `rules.paths` paths of three distinct nodes, no node in two of them.

    Subnet rules: `none`; `guards`: guards in different /24s; `all`: all nodes of all paths in different /24s.

    Raises:
        InvalidInput: the network is too small for so many distinct nodes or subnets.
    """
    used: list[int] = []
    guards: list[int] = []
    others: list[int] = []
    everything = rules.path_subnet_rule == "all"
    by_guard = rules.path_subnet_rule == "guards"
    wanted_guards, wanted_others = rules.paths, rules.paths * (HOPS - 1)
    for node in _random_nodes(len(nodes), entropy, b"g"):
        if len(guards) == wanted_guards:
            break
        if rules.path_subnet_rule == "none" or all(nodes.net24(node) != nodes.net24(g) for g in guards):
            guards.append(node)
    used.extend(guards)
    for node in _random_nodes(len(nodes), entropy, b"m"):
        if len(others) == wanted_others:
            break
        if node in used or (everything and any(nodes.net24(node) == nodes.net24(u) for u in used)):
            continue
        others.append(node)
        used.append(node)
    if len(guards) < wanted_guards or len(others) < wanted_others:
        allowed = f"at least {rules.paths * HOPS} nodes" + (
            " in different /24s" if everything or by_guard else ""
        )
        raise InvalidInput("network", f"{len(nodes)} nodes for {rules.paths} paths", allowed)
    return tuple((guards[p], others[2 * p], others[2 * p + 1]) for p in range(rules.paths))
