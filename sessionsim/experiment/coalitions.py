"""The smallest sets of observers that learn a secret, by rising size (metrics 2i).

A set counts for a message, an account or a contact if it learns the secret of it and no smaller part of it
does. Knowledge only grows with observers, so a set is looked at only while something is left that its parts
do not know and all observers together do, and none of its members stands where the others stand already. Sets
of any size need far fewer looks than there are sets (`minimal_sets`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Final

from sessionsim.adversary import join
from sessionsim.core.errors import InvalidInput
from sessionsim.core.sights import Coalitions, MinimalCoalition
from sessionsim.experiment.archive import Archive, opened_replicates
from sessionsim.experiment.minimal_sets import further_sets
from sessionsim.metrics import known_secrets

MOST_OBSERVERS: Final = 12  # Assumption: beyond it sets are too many to read
LARGEST: Final = 4  # members of a set, unless asked for more
# Rows read for the sets of a report, all sets and replicates together. Assumption: some ten seconds at 10 µs.
MOST_ROWS: Final = 1_000_000
_SMALL: Final = 2  # members of sets that are all looked at
_SPARES_FROM: Final = 3  # members of a set; most smaller ones have to be looked at anyway
# Kinds of vantages that are the parties of a network, as far as something was recorded where they stand.
# Source: metrics 2i, rows of its table.
ROLES: Final = (
    "guard", "middle", "last-hop", "swarm-member", "provider", "seed", "file-server", "push-server",
    "push-platform", "community-server",
)  # fmt: skip

_Set = tuple[str, ...]
Items = Mapping[str, frozenset[str]]  # secret -> items of which it is known


def minimal_coalitions(
    folder: Path, names: Sequence[str] = (), largest: int | None = None
) -> list[MinimalCoalition]:
    """Find the smallest sets of observers that learn each secret.

    Args:
        folder: a stored run or one replicate of it.
        names: observers to combine; none for all that the scenario declares and that are no coalitions.
        largest: most members of a set; None for any number.

    Returns:
        By secret, size, and falling share; summed over the replicates with kept bytes.

    Raises:
        InvalidInput: an unknown name, too many of them, or no size.
        StorageDamaged: no replicate whose bytes were kept.
    """
    if largest is not None and largest < 1:
        raise InvalidInput("--largest", str(largest), "1 or more")
    count: SetCount | None = None
    for path in opened_replicates(folder):
        archive = Archive(path)
        count = count or SetCount(names or observers_of(archive), largest)
        count.add(archive)
    return [] if count is None else count.found()


def observers_of(archive: Archive) -> _Set:
    """Name the observers that a scenario declares, without those that are coalitions of others."""
    return tuple(name for name in archive.declared if name not in archive.members)


def roles_of(archive: Archive) -> _Set:
    """Name the roles in the network that can be looked at in a stored replicate."""
    found = []
    for name in ROLES:
        try:
            place = archive.position(name)[0]
        except InvalidInput:  # nothing was recorded where it stands
            continue
        if place.watched:
            found.append(name)
    return tuple(found)


class SetCount:
    """Counts what sets of observers learn, replicate by replicate.

    Args:
        names: observers to combine.
        largest: most members of a set; None for any number.

    Raises:
        InvalidInput: too many observers.
    """

    def __init__(self, names: Sequence[str], largest: int | None) -> None:
        self.names = tuple(dict.fromkeys(names))
        self.largest = len(self.names) if largest is None else largest
        self._any_size = largest is None
        if len(self.names) > MOST_OBSERVERS:
            raise InvalidInput("--as", f"{len(self.names)} observers", f"at most {MOST_OBSERVERS}")
        self._alone, self._known = (defaultdict[tuple[str, _Set], int](int) for _ in range(2))
        self._totals = defaultdict[str, int](int)
        self._seeds: list[int] = []

    def add(self, archive: Archive) -> None:
        """Count one replicate. Raises InvalidInput for an unknown observer."""
        places = {name: archive.position(name)[0] for name in self.names}
        secrets = known_secrets(archive.replicate({}, {}))
        for name, number in secrets.totals.items():
            self._totals[name] += number

        def learned(members: _Set) -> Items:
            position = join([places[name] for name in members])
            return secrets.of(archive.facts(" + ".join(members), position))

        def covers(one: str, other: str) -> bool:
            return places[one].covers(places[other])

        looks = sets_of_any_size if self._any_size else partial(sets_of, largest=self.largest)
        for members, secret, new, whole in looks(self.names, secrets.totals, learned, covers):
            self._alone[secret, members] += new
            self._known[secret, members] += whole
        self._seeds.append(archive.seed)

    def found(self) -> list[MinimalCoalition]:
        """Give the sets that learn something which no part of them learns, by secret, size, falling share."""
        sets = [
            MinimalCoalition(secret, members, number, self._known[secret, members], self._totals[secret])
            for (secret, members), number in self._alone.items()
            if number
        ]
        rank = {secret: place for place, secret in enumerate(self._totals)}
        return sorted(sets, key=lambda one: (rank[one.secret], len(one.members), -one.alone, one.members))

    def coalitions(self) -> Coalitions:
        """Give what was found, with what it was looked for in."""
        largest = min(self.largest, len(self.names))
        return Coalitions(self.names, largest, tuple(self._seeds), tuple(self.found()))


def affordable(parties: int, rows: int) -> int:
    """Give the size up to which all sets of some parties can be looked at within `MOST_ROWS`; at least 1."""
    size = 1
    while size < LARGEST and rows * sum(comb(parties, k) for k in range(1, size + 2)) <= MOST_ROWS:
        size += 1
    return size


def sets_of_any_size(
    names: Sequence[str],
    totals: Mapping[str, int],
    learned: Callable[[_Set], Items],
    covers: Callable[[str, str], bool],
) -> Iterator[tuple[_Set, str, int, int]]:
    """`sets_of` without a bound: all small sets, and of larger ones those that are minimal for something."""
    seen: dict[_Set, Items] = {}

    def look(members: _Set) -> Items:
        if members not in seen:
            seen[members] = learned(members)
        return seen[members]

    yield from sets_of(names, totals, look, covers, _SMALL)
    if len(names) <= _SMALL:
        return
    known = {
        (secret, one): set[frozenset[str]]() for secret, those in look(tuple(names)).items() for one in those
    }
    for members in sorted(seen, key=len):
        for secret, those in seen[members].items() if len(members) <= _SMALL else ():
            for item in those:
                sets = known[secret, item]
                if not any(one < set(members) for one in sets):
                    sets.add(frozenset(members))
    for some, items in further_sets(names, known, lambda some: look(_ordered(names, some))).items():
        members = _ordered(names, some)
        for secret, new in Counter(secret for secret, _ in items).items():
            yield members, secret, new, len(look(members)[secret])


def _ordered(names: Sequence[str], some: frozenset[str]) -> _Set:
    return tuple(name for name in names if name in some)


def sets_of(
    names: Sequence[str],
    totals: Mapping[str, int],
    learned: Callable[[_Set], Items],
    covers: Callable[[str, str], bool],
    largest: int,
) -> Iterator[tuple[_Set, str, int, int]]:
    """Give of each set and secret how many items it learns and no part does, and how many it learns.

    Args:
        names: of the observers.
        totals: secret -> how many items there are.
        learned: what a set learns; a larger set learns no less.
        covers: whether one observer stands everywhere another one stands.
        largest: most members of a set.
    """
    most: Items | None = None  # what all of them learn together; asked once it may spare more than it costs
    below: dict[_Set, dict[str, frozenset[str]]] = {(): {secret: frozenset() for secret in totals}}
    for size in range(1, min(largest, len(names)) + 1):
        level: dict[_Set, dict[str, frozenset[str]]] = {}
        for members in combinations(names, size):
            pairs = combinations(members, 2)
            if any(covers(*pair) or covers(*pair[::-1]) for pair in pairs):
                continue  # one stands within another: it adds nothing here, nor to any larger set
            parts = list(combinations(members, size - 1))
            had = {
                secret: frozenset[str]().union(*(below[part][secret] for part in parts)) for secret in totals
            }
            if all(len(had[secret]) >= number for secret, number in totals.items()):
                level[members] = had
                continue
            if size >= _SPARES_FROM:
                most = most or learned(tuple(names))
                if all(most[secret] <= had[secret] for secret in totals):
                    level[members] = had
                    continue
            items = most if most is not None and len(members) == len(names) else learned(members)
            for secret, those in items.items():
                yield members, secret, len(those - had[secret]), len(those)
            level[members] = {secret: those | had[secret] for secret, those in items.items()}
        below = level
