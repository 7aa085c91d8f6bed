"""Who knows whom: a random graph with the measured number of contacts, and how much each tie is used.

Configuration model: every person gets a number of contacts, their stubs are joined at random, loops and
double ties are dropped. In a small run the numbers are cut at n - 1, so everybody knows most others.
Active people know many people; both come from one normal score per person. Source: metrics 4.1.

With the measured numbers of contacts, joining at random gives nearly the measured clustering, distances and
size of the largest component too (`tests/verification/test_workload.py`). Two things can be wished for: that
a share of everybody's contacts lives in the same country, and that on a share of ties only one side writes,
which gives the measured reciprocity.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

import networkx as nx
import numpy as np

from sessionsim.core.seeds import Seeds
from sessionsim.workload.draws import Luck
from sessionsim.workload.fits import ACTIVITY_CONTACTS_CORRELATION, CONTACTS, ONE_WAY_USE, TIE_SIGMA


@dataclass(frozen=True, slots=True)
class Circle:
    """One person's contacts.

    Args:
        contacts: account numbers, ascending; empty only when nobody else exists.
        cumulative: running sums of the use of each tie, same order; larger is used more, a step of 0 is a
            contact to whom this person never writes.
        activity: normal score of how much this person writes; 0 is the median.
    """

    contacts: tuple[int, ...]
    cumulative: tuple[float, ...]
    activity: float

    @property
    def writes(self) -> bool:
        """Say whether there is anybody to whom this person writes."""
        return bool(self.cumulative) and self.cumulative[-1] > 0

    def pick(self, u: float) -> int:
        """Choose a contact by use of the tie, at a uniform number in [0, 1); only for who writes."""
        place = bisect_right(self.cumulative, u * self.cumulative[-1])
        return self.contacts[min(place, len(self.contacts) - 1)]

    def use(self, contact: int) -> float:
        """Say how much the tie to one of the contacts is used."""
        place = bisect_left(self.contacts, contact)
        return self.cumulative[place] - (self.cumulative[place - 1] if place else 0.0)


def contacts_at(u: float) -> int:
    """Give the number of contacts at a probability in [0, 1], between the measured quantiles log-linearly."""
    place = min(max(bisect_right([p for p, _ in CONTACTS], u), 1), len(CONTACTS) - 1)
    (p0, k0), (p1, k1) = CONTACTS[place - 1], CONTACTS[place]
    return round(math.exp(math.log(k0) + (u - p0) / (p1 - p0) * math.log(k1 / k0)))


def circles(
    n_accounts: int,
    seeds: Seeds,
    countries: Sequence[str] = (),
    home_share: float = 0.0,
    one_way_share: float = 0.0,
) -> list[Circle]:
    """Draw the contact graph.

    Args:
        n_accounts: people, 0 or more.
        seeds: streams used: ("workload", "graph"), ("workload", "person", a), ("workload", "use", a, b); with
            a home share also ("workload", "graph", country) and ("workload", "home", a).
        countries: country per account, if home_share is above 0.
        home_share: share of a person's contacts that live in the same country beyond what chance gives.
        one_way_share: share of ties on which one side never writes; luck ("way", a, b).

    Returns:
        One circle per account; with two accounts or more none is empty.
    """
    scores = [seeds.stream("workload", "person", a).standard_normal(2).tolist() for a in range(n_accounts)]
    degrees = [min(contacts_at(NormalDist().cdf(z)), max(n_accounts - 1, 0)) for z, _ in scores]
    ties: list[dict[int, float]] = [{} for _ in range(n_accounts)]
    home = _home_stubs(degrees, seeds, countries, home_share) if home_share else [0] * n_accounts
    for a, b in _ties(degrees, home, countries, seeds):
        ties[a][b], ties[b][a] = _uses(a, b, one_way_share, seeds)
    rho = ACTIVITY_CONTACTS_CORRELATION
    return [
        Circle(tuple(own), tuple(accumulate(own.values())), rho * z + math.sqrt(1 - rho**2) * e)
        for own, (z, e) in zip(({b: t[b] for b in sorted(t)} for t in ties), scores, strict=True)
    ]


def _uses(a: int, b: int, one_way_share: float, seeds: Seeds) -> tuple[float, float]:
    """Give how much each side uses a tie."""
    use, way = _use(a, b, seeds), Luck(seeds, "way", a, b)
    if one_way_share and way.at(0) < one_way_share:
        return (use * ONE_WAY_USE, 0.0) if way.at(1) < 0.5 else (0.0, use * ONE_WAY_USE)
    return use, use


def _use(a: int, b: int, seeds: Seeds) -> float:
    low, high = min(a, b), max(a, b)
    return math.exp(TIE_SIGMA * float(seeds.stream("workload", "use", low, high).standard_normal()))


def _home_stubs(degrees: list[int], seeds: Seeds, countries: Sequence[str], home_share: float) -> list[int]:
    """Say how many of each person's contacts are to be found at home; at most everybody else there."""
    others = {country: countries.count(country) - 1 for country in set(countries)}
    return [
        min(int(seeds.stream("workload", "home", a).binomial(degree, home_share)), others[countries[a]])
        for a, degree in enumerate(degrees)
    ]


def _ties(
    degrees: list[int], home: list[int], countries: Sequence[str], seeds: Seeds
) -> list[tuple[int, int]]:
    """Join stubs at random, first at home; whoever stays alone gets the next account as a contact."""
    n = len(degrees)
    if n < 2:
        return []
    found: set[tuple[int, int]] = set()
    for country in sorted(set(countries)) if any(home) else ():
        members = [a for a in range(n) if countries[a] == country]
        found |= _joined(members, [home[a] for a in members], seeds.stream("workload", "graph", country))
    # What was not found at home, because it is a small place, is looked for everywhere.
    met = Counter(a for tie in found for a in tie)
    rest = [max(degree - met[a], 0) for a, degree in enumerate(degrees)]
    found |= _joined(range(n), rest, seeds.stream("workload", "graph"))
    befriended = {a for tie in found for a in tie}
    found |= {(min(a, (a + 1) % n), max(a, (a + 1) % n)) for a in range(n) if a not in befriended}
    return sorted(found)


def _joined(members: Sequence[int], stubs: list[int], rng: np.random.Generator) -> set[tuple[int, int]]:
    """Join the stubs of some people at random, without loops and double ties."""
    stubs = [stubs[0] + sum(stubs) % 2, *stubs[1:]]  # an even number of stubs is needed
    joined = nx.configuration_model(stubs, seed=int(rng.integers(2**31)))
    pairs = ((members[i], members[j]) for i, j in joined.edges() if i != j)
    return {(min(a, b), max(a, b)) for a, b in pairs}
