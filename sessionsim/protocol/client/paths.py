"""Which nodes onion paths are made of: the rules of choice, apart from when a client chooses (transport 4).

Candidates come from the client's entropy by position, so the same client with the same list always chooses
the same nodes. The path-only engine (`network.population`) chooses by the same rules for many accounts at
once; a test holds both together. When paths are built, kept and given up: `path_keeper`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.path_rules import HOPS, PathRules
from sessionsim.protocol.client.pool import Pool, listing_of, number_at

__all__ = ["HOPS", "Path", "build_paths", "choose", "choose_guards", "choose_rest", "number_at"]

Path = tuple[int, ...]

# What begins the addresses of the draws of a client's first guards, and of the nodes behind them.
FIRST_GUARDS: Final = b"pathg"
FIRST_REST: Final = b"pathm"


def choose(
    candidates: Iterable[int],
    count: int,
    nodes: NodeList,
    apart: bool,
    taken: set[int],
    refused: Container[int],
) -> list[int]:
    """Take candidates one after another until there are enough.

    Args:
        candidates: distinct nodes in the order in which they are offered.
        nodes: says in which /24 a node stands.
        apart: no two may share a /24.
        taken: /24s that are used up where `apart` holds; those of the chosen are added.
        refused: nodes that may not be taken.

    Returns:
        The chosen; fewer than `count` if there are not enough.
    """
    chosen: list[int] = []
    for node in candidates:
        if len(chosen) == count:
            break
        if node in refused or (apart and nodes.net24(node) in taken):
            continue
        chosen.append(node)
        taken.add(nodes.net24(node))
    return chosen


def choose_guards(
    candidates: Iterable[int], count: int, nodes: NodeList, rules: PathRules, beside: Iterable[int] = ()
) -> list[int]:
    """Choose first hops beside those in use, as the subnet rule has it; see `choose`."""
    beside = tuple(beside)
    apart = rules.path_subnet_rule != "none"
    return choose(candidates, count, nodes, apart, {nodes.net24(node) for node in beside}, beside)


def choose_rest(
    candidates: Iterable[int],
    count: int,
    nodes: NodeList,
    rules: PathRules,
    guards: Iterable[int],
    others: Iterable[int] = (),
) -> list[int]:
    """Choose the nodes behind guards; see `choose`.

    Args:
        guards: all first hops. Only the rule `all` keeps their /24s apart from the rest.
        others: nodes behind guards that are in use elsewhere; as apart from these as from each other.
    """
    rule, guards, others = rules.path_subnet_rule, tuple(guards), tuple(others)
    apart_from = (*guards, *others) if rule == "all" else others
    taken = {nodes.net24(node) for node in apart_from}
    return choose(candidates, count, nodes, rule in ("each-kind", "all"), taken, (*guards, *others))


def build_paths(nodes: NodeList, rules: PathRules, entropy: Entropy) -> tuple[Path, ...]:
    """Choose the first `rules.paths` paths of distinct nodes, no node in two of them.

    Subnet rules, on /24s: `none`; `guards`: the guards differ from each other; `each-kind`: so do the other
    nodes among themselves (a guard and another node may share one, as on desktop); `all`: all nodes of all
    paths differ.

    Raises:
        InvalidInput: the network is too small for so many distinct nodes or subnets.
    """
    pool = Pool(listing_of(nodes))
    guards = choose_guards(pool.draws(entropy, FIRST_GUARDS), rules.paths, nodes, rules)
    behind = rules.path_hops - 1
    needed = rules.paths * behind
    rest = choose_rest(pool.draws(entropy, FIRST_REST), needed, nodes, rules, guards)
    if len(guards) < rules.paths or len(rest) < needed:
        raise too_small(len(nodes), rules.paths, rules)
    return joined(guards, rest, behind)


def joined(guards: Sequence[int], rest: Sequence[int], behind: int) -> tuple[Path, ...]:
    """Put so many nodes behind each guard."""
    return tuple((guard, *rest[behind * p : behind * (p + 1)]) for p, guard in enumerate(guards))


def too_small(count: int, paths: int, rules: PathRules) -> InvalidInput:
    """Make the error of a network in which paths cannot be built."""
    apart = "" if rules.path_subnet_rule == "none" else " in different /24s"
    return InvalidInput(
        "network", f"{count} nodes for {paths} paths", f"at least {paths * rules.path_hops} nodes{apart}"
    )
