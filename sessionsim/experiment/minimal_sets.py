"""All minimal sets of parties that learn something, of any size, without looking at all sets.

What is learned only grows with a set. So of each item, once some minimal sets are known, it is enough to look
at the largest sets that contain none of them: if none of those learns the item, there are no more; if one
does, taking its members away one by one ends at a new minimal set (dualise and advance: Gunopulos, Khardon,
Mannila, Toivonen 1997). Items with the same minimal sets are looked at together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

Party = str
Parties = frozenset[Party]
Item = tuple[str, str]  # secret, and what it is about
Learned = Mapping[str, frozenset[str]]  # secret -> items of which it is known


def further_sets(
    names: Sequence[Party], known: Mapping[Item, set[Parties]], learned: Callable[[Parties], Learned]
) -> dict[Parties, list[Item]]:
    """Find the minimal sets that are not known yet.

    Args:
        names: of all parties.
        known: of each item that all parties together learn, minimal sets that are known; none for some.
        learned: what a set learns; asked once for each.
    """
    minimal = {item: set(sets) for item, sets in known.items()}
    seen: dict[Parties, Learned] = {}
    found: dict[Parties, list[Item]] = {}

    def learns(some: Parties, item: Item) -> bool:
        if some not in seen:
            seen[some] = learned(some)
        return item[1] in seen[some].get(item[0], ())

    for item in list(minimal):
        while (wide := _unexplained(names, minimal[item], item, learns)) is not None:
            narrow = _narrowed(names, wide, item, learns)
            for other, sets in minimal.items():
                if narrow not in sets and _is_minimal(narrow, other, sets, learns):
                    sets.add(narrow)
                    found.setdefault(narrow, []).append(other)
    return found


def _unexplained(
    names: Sequence[Party], sets: set[Parties], item: Item, learns: Callable[[Parties, Item], bool]
) -> Parties | None:
    """Give a largest set that learns an item and contains none of its known minimal sets; None for none."""
    return next((some for some in largest_without(names, sets) if learns(some, item)), None)


def _narrowed(
    names: Sequence[Party], wide: Parties, item: Item, learns: Callable[[Parties, Item], bool]
) -> Parties:
    """Take away members as long as the rest learns the item."""
    for name in names:
        if name in wide and learns(wide - {name}, item):
            wide -= {name}
    return wide


def _is_minimal(
    some: Parties, item: Item, sets: set[Parties], learns: Callable[[Parties, Item], bool]
) -> bool:
    """Say whether a set learns an item, and no set with one member less does."""
    if any(one < some for one in sets) or not learns(some, item):
        return False
    return not any(learns(some - {name}, item) for name in sorted(some))


def largest_without(names: Sequence[Party], sets: set[Parties]) -> Iterator[Parties]:
    """Give the largest sets of names that contain none of some sets: what is left out meets each of them."""
    everyone, left_out = frozenset(names), list[Parties]()
    for size in range(len(names) + 1):
        for some in map(frozenset, combinations(names, size)):
            if any(one <= some for one in left_out):
                continue
            if all(some & one for one in sets):
                left_out.append(some)
                yield everyone - some
