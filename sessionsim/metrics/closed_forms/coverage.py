"""Closed forms of path and swarm compromise: what a measured share must come out at.

N nodes, c of them operated by the observer, chosen uniformly without replacement (metrics 2a). The
number of operated nodes among s given ones is then hypergeometric, whatever rule chose the s nodes, as
long as it did not look at who operates them. Shares of accounts take the accounts' actual swarm sizes
and guards, overlap included, so a guard that happens to sit in the account's own swarm counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import scipy


class Shape(NamedTuple):
    """How an account is exposed. Args: swarm, guards: distinct nodes; union: distinct nodes of both."""

    swarm: int
    guards: int
    union: int


class Coverage(NamedTuple):
    """Probabilities that an account has a bad replica, a bad guard, and both."""

    replica: float
    guard: float
    both: float


def any_bad(nodes: int, bad: int, drawn: int) -> float:
    """Probability that at least one of `drawn` distinct nodes is bad: 1 - C(N-c, s)/C(N, s)."""
    return float(scipy.stats.hypergeom(nodes, bad, drawn).sf(0))


def at_least_bad(nodes: int, bad: int, drawn: int, least: int) -> float:
    """Probability that at least `least` of `drawn` distinct nodes are bad."""
    return float(scipy.stats.hypergeom(nodes, bad, drawn).sf(least - 1))


def all_bad(nodes: int, bad: int, drawn: int) -> float:
    """Probability that all of `drawn` distinct nodes are bad; for first and last hop c(c-1)/(N(N-1))."""
    return float(scipy.stats.hypergeom(nodes, bad, drawn).sf(drawn - 1))


@lru_cache(maxsize=4096)
def coverage_of(nodes: int, bad: int, shape: Shape) -> Coverage:
    """Give the three probabilities for one account; both by inclusion and exclusion over the union."""
    replica, guard = any_bad(nodes, bad, shape.swarm), any_bad(nodes, bad, shape.guards)
    both = replica + guard - any_bad(nodes, bad, shape.union)
    return Coverage(replica, guard, min(max(both, 0.0), replica, guard))


def mean_coverage(nodes: int, bad: int, shapes: Mapping[Shape, float]) -> Coverage:
    """Average `coverage_of` over accounts.

    Args:
        nodes, bad: size of the network and of the coalition.
        shapes: how many accounts have each shape; at least one account.
    """
    total = sum(shapes.values())
    each = [(coverage_of(nodes, bad, shape), number / total) for shape, number in sorted(shapes.items())]
    return Coverage(
        sum(c.replica * w for c, w in each),
        sum(c.guard * w for c, w in each),
        sum(c.both * w for c, w in each),
    )
