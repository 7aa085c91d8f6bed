"""Chains of links between things of one part, the earliest complete ones.

As in Kruskal's algorithm the links that first joined what was apart make a tree: the chain that was complete
first runs along it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Link(NamedTuple):
    """An edge of the graph of an exchange. Args: one, other: numbers of things; t_us: since when."""

    one: int
    other: int
    t_us: int


def earliest_tree(links: Sequence[Link]) -> Mapping[int, list[Link]]:
    """Give the links that first joined what was apart, both ways round: all first chains run along them.

    Args:
        links: of one part, by the time since when they are there.
    """
    tree: dict[int, list[Link]] = {}
    root: dict[int, int] = {}

    def find(thing: int) -> int:
        while root.setdefault(thing, thing) != thing:
            root[thing] = root[root[thing]]
            thing = root[thing]
        return thing

    for link in links:
        a, b = find(link.one), find(link.other)
        if a != b:
            root[a] = b
            tree.setdefault(link.one, []).append(link)
            tree.setdefault(link.other, []).append(Link(link.other, link.one, link.t_us))
    return tree


def walk(tree: Mapping[int, list[Link]], start: int, end: int) -> list[Link]:
    """Give the links of a tree from one thing to another."""
    came: dict[int, Link | None] = {start: None}
    queue = [start]
    for thing in queue:
        for link in tree.get(thing, ()):
            if link.other not in came:
                came[link.other] = link
                queue.append(link.other)
    steps: list[Link] = []
    step = came.get(end)
    while step is not None:
        steps.append(step)
        step = came[step.one]
    return steps[::-1]
