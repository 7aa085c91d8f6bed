"""The smallest sets of observers that learn a secret, by rising size (metrics 2i).

A set counts for a message, an account or a contact if it learns the secret of it and no smaller part of it
does. Knowledge only grows with observers, so a set is looked at only while something is left that its parts
do not know, and none of its members stands where the others stand already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from sessionsim.adversary import join
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position
from sessionsim.experiment.archive import Archive, opened_replicates
from sessionsim.metrics import KnownSecrets, known_secrets

MOST_OBSERVERS = 12  # Assumption: beyond it sets are too many to read
_Set = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MinimalCoalition:
    """A set of observers that learns a secret of some items, of which none of its parts does.

    Args:
        secret: its number, such as S6.
        members: names of the observers.
        alone: items of which no part of the set learns it.
        known: items of which the set learns it at all.
        total: items there are.
    """

    secret: str
    members: _Set
    alone: int
    known: int
    total: int

    @property
    def share(self) -> float:
        """Of all items, those of which this set learns the secret and no part of it does."""
        return self.alone / self.total


def minimal_coalitions(folder: Path, names: Sequence[str] = (), largest: int = 3) -> list[MinimalCoalition]:
    """Find the smallest sets of observers that learn each secret.

    Args:
        folder: a stored run or one replicate of it.
        names: observers to combine; none for all that the scenario declares.
        largest: most members of a set.

    Returns:
        By secret, size, and falling share; summed over the replicates with kept bytes.

    Raises:
        InvalidInput: an unknown name, too many of them, or no size.
        StorageDamaged: no replicate whose bytes were kept.
    """
    if largest < 1:
        raise InvalidInput("--largest", str(largest), "1 or more")
    alone, known = (defaultdict[tuple[str, _Set], int](int) for _ in range(2))
    totals = defaultdict[str, int](int)
    for path in opened_replicates(folder):
        archive = Archive(path)
        chosen = tuple(dict.fromkeys(names or archive.declared))
        if len(chosen) > MOST_OBSERVERS:
            raise InvalidInput("--as", f"{len(chosen)} observers", f"at most {MOST_OBSERVERS}")
        places = {name: archive.position(name)[0] for name in chosen}
        secrets = known_secrets(archive.replicate({}, {}))
        for name, number in secrets.totals.items():
            totals[name] += number
        for members, secret, new, whole in _sets(archive, places, secrets, largest):
            alone[secret, members] += new
            known[secret, members] += whole
    found = [
        MinimalCoalition(secret, members, number, known[secret, members], totals[secret])
        for (secret, members), number in alone.items()
        if number
    ]
    rank = {secret: place for place, secret in enumerate(totals)}
    return sorted(found, key=lambda one: (rank[one.secret], len(one.members), -one.alone, one.members))


def _sets(
    archive: Archive, places: Mapping[str, Position], secrets: KnownSecrets, largest: int
) -> Iterator[tuple[_Set, str, int, int]]:
    """Give of each set and secret how many items it learns and no part does, and how many it learns."""
    below: dict[_Set, dict[str, frozenset[str]]] = {(): {secret: frozenset() for secret in secrets.totals}}
    for size in range(1, min(largest, len(places)) + 1):
        level: dict[_Set, dict[str, frozenset[str]]] = {}
        for members in combinations(places, size):
            parts = [part for part in combinations(members, size - 1) if part in below]
            had = {
                secret: frozenset[str]().union(*(below[part][secret] for part in parts))
                for secret in secrets.totals
            }
            if len(parts) < size or _adds_nothing(members, places):
                continue
            if all(len(had[secret]) >= number for secret, number in secrets.totals.items()):
                level[members] = had
                continue
            position = join([places[name] for name in members])
            items = secrets.of(archive.facts(" + ".join(members), position))
            for secret, those in items.items():
                yield members, secret, len(those - had[secret]), len(those)
            level[members] = {secret: those | had[secret] for secret, those in items.items()}
        below = level


def _adds_nothing(members: _Set, places: Mapping[str, Position]) -> bool:
    """Tell whether one member stands nowhere but where another stands too."""
    return any(places[one].covers(places[other]) for one in members for other in members if one != other)
