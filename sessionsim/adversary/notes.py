"""Facts as they are collected from one closure, and what all rules need to find them.

Of equal facts the earliest stays. Its derivation is put into words only in the end, for what stayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.columns import Bools, Ints, column
from sessionsim.adversary.derivations import Derivations, Steps, address_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.core.ledger import Fact, Relation

Derive = Callable[[], Steps]
Known = tuple[int, Derive]  # since when, and why


class Notes:
    """What is known so far. Args: closure: where it comes from.

    Attributes:
        known: facts so far, with the time since when they are known and why.
        client, first, arrival: of each request, its one client, the place of the first row with it, and of
            the first answer to it; -1 for none.
        least_us: of each request, a time no later than that at which it is linked to its client.
    """

    def __init__(self, closure: Closure) -> None:
        self.closure, self.view = closure, closure.view
        self.meaning = closure.transcript.meaning
        self.words = Derivations(closure)
        self.known: dict[tuple[Relation, str, str], tuple[int, Derive]] = {}
        self._presence: dict[tuple[str, int], Derive] = {}  # whom, when
        requests = closure.request_thing(0) + np.arange(len(closure.t_read))
        part = closure.part[requests]
        self.client, self.first, self.arrival = (of_part[part] for of_part in closure.clients)
        first_us = np.where(self.first >= 0, closure.t_row[self.first], NEVER)
        self.least_us: Ints = np.maximum(first_us, closure.t_read)
        self._linked: dict[int, int] = {}

    def note(self, relation: Relation, subject: str, object_: str, t_us: int, derive: Derive) -> None:
        """Take a fact, known since `t_us`."""
        key = (relation, subject, object_)
        known = self.known.get(key)
        if known is None or t_us < known[0]:
            self.known[key] = (t_us, derive)

    def see(self, subject: str, t_us: int, count: int, derive: Derive) -> None:
        """Take a sighting of somebody. Args: count: how many there are in all."""
        self._presence.setdefault((subject, t_us), lambda: (*derive(), f"seen {count} times in all"))

    def sighted(self) -> Iterator[tuple[str, int]]:
        """Give whom was seen, and when, as often as noted."""
        return iter(self._presence)

    @property
    def first_us(self) -> int:
        """When the observer saw its first row; 0 if it saw none."""
        times = self.view.rows["t_us"]
        return int(times[0]) if len(times) else 0

    def address(self, request: int) -> str:
        """Write the address of a request's client."""
        return address_of(self.view, int(self.client[request]))

    def linked_us(self, request: int) -> int:
        """Give when a request was read and linked to its client's address."""
        if request not in self._linked:
            end = self.closure.request_thing(request)
            joined_us = self.closure.linked_us(int(self.first[request]), end)
            self._linked[request] = max(joined_us, int(self.closure.t_read[request]))
        return self._linked[request]

    def linked(self, request: int) -> Steps:
        """How a request hangs together with its client's address."""
        return self.words.linked(int(self.client[request]), int(self.first[request]), request)

    def signers(self, by: Ints, some: Bools | None = None) -> dict[tuple[int, int], tuple[int, int]]:
        """Find what signed for whom.

        Args:
            by: of each request, the number of what it came from; requests without a client do not count.
            some: which requests count; None for all.

        Returns:
            For each such number and signer, by its number: the place, in the table of signatures, of the
            valid one that was linked to an address first, and when.
        """
        request, signer = (column(values) for values in self.meaning.signed)
        counting = self.client >= 0 if some is None else some & (self.client >= 0)
        least_us = np.where(counting[request], self.least_us[request], NEVER)
        found: dict[tuple[int, int], tuple[int, int]] = {}
        for (key, number), places in groups((by[request], signer), least_us):
            best = earliest(
                places,
                least_us[places].tolist(),
                lambda place: self.linked_us(int(request[place])),
                self.meaning.is_signed,
            )
            if best is not None:
                found[key, number] = best
        return found

    def facts(self) -> list[Fact]:
        """Give the facts collected so far, in stable order."""
        observer = self.view.observer
        found = [
            Fact(observer, relation, subject, object_, t_us, derive())
            for (relation, subject, object_), (t_us, derive) in self.known.items()
        ]
        found += [
            Fact(observer, Relation.ONLINE, subject, "", t_us, derive())
            for (subject, t_us), derive in self._presence.items()
        ]
        return sorted(found, key=lambda fact: (fact.t_us, fact.relation, fact.subject, fact.object))


def earliest(
    places: list[int], least_us: list[int], exact_us: Callable[[int], int], holds: Callable[[int], bool]
) -> tuple[int, int] | None:
    """Give the place with the earliest exact time that holds, and that time.

    Args:
        places: candidates, ascending by `least_us`.
        least_us: a time no later than the exact one, for each.
        exact_us, holds: dear to ask, so asked no more often than needed.
    """
    best: tuple[int, int] | None = None
    for place, bound_us in zip(places, least_us, strict=True):
        if best is not None and bound_us >= best[1]:
            break
        t_us = exact_us(place)
        if (best is None or t_us < best[1]) and holds(place):
            best = (place, t_us)
    return best


def groups(keys: tuple[Ints, ...], t_us: Ints) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Gather the places of equal keys, in the order of their times; places at NEVER are left out.

    Args:
        keys: columns that together make the key.
        t_us: of the same shape.
    """
    there = np.flatnonzero(t_us < NEVER)
    order = there[np.lexsort((there, t_us[there], *(key[there] for key in reversed(keys))))]
    if not len(order):
        return
    changes = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    for places in np.split(order, np.flatnonzero(changes) + 1):
        yield tuple(int(key[places[0]]) for key in keys), places.tolist()
