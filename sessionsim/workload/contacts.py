"""Who knows whom: a random graph with the measured number of contacts, and how much each tie is used.

Configuration model: every person gets a number of contacts, their stubs are joined at random, loops and
double ties are dropped. In a small run the numbers are cut at n - 1, so everybody knows most others.
Active people know many people; both come from one normal score per person. Source: metrics 4.1.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

import networkx as nx

from sessionsim.core.seeds import Seeds
from sessionsim.workload.fits import ACTIVITY_CONTACTS_CORRELATION, CONTACTS, TIE_SIGMA


@dataclass(frozen=True, slots=True)
class Circle:
    """One person's contacts.

    Args:
        contacts: account numbers, ascending; empty only when nobody else exists.
        cumulative: running sums of the use of each tie, same order; larger is used more.
        activity: normal score of how much this person writes; 0 is the median.
    """

    contacts: tuple[int, ...]
    cumulative: tuple[float, ...]
    activity: float

    def pick(self, u: float) -> int:
        """Choose a contact by use of the tie, at a uniform number in [0, 1)."""
        place = bisect_right(self.cumulative, u * self.cumulative[-1])
        return self.contacts[min(place, len(self.contacts) - 1)]


def contacts_at(u: float) -> int:
    """Give the number of contacts at a probability in [0, 1], between the measured quantiles log-linearly."""
    place = min(max(bisect_right([p for p, _ in CONTACTS], u), 1), len(CONTACTS) - 1)
    (p0, k0), (p1, k1) = CONTACTS[place - 1], CONTACTS[place]
    return round(math.exp(math.log(k0) + (u - p0) / (p1 - p0) * math.log(k1 / k0)))


def circles(n_accounts: int, seeds: Seeds) -> list[Circle]:
    """Draw the contact graph.

    Args:
        n_accounts: people, 0 or more.
        seeds: streams used: ("workload", "graph"), ("workload", "person", a), ("workload", "use", a, b).

    Returns:
        One circle per account; with two accounts or more none is empty.
    """
    scores = [seeds.stream("workload", "person", a).standard_normal(2).tolist() for a in range(n_accounts)]
    degrees = [min(contacts_at(NormalDist().cdf(z)), max(n_accounts - 1, 0)) for z, _ in scores]
    ties: list[dict[int, float]] = [{} for _ in range(n_accounts)]
    for a, b in _ties(degrees, seeds):
        ties[a][b] = ties[b][a] = _use(a, b, seeds)
    rho = ACTIVITY_CONTACTS_CORRELATION
    return [
        Circle(tuple(own), tuple(accumulate(own.values())), rho * z + math.sqrt(1 - rho**2) * e)
        for own, (z, e) in zip(({b: t[b] for b in sorted(t)} for t in ties), scores, strict=True)
    ]


def _use(a: int, b: int, seeds: Seeds) -> float:
    low, high = min(a, b), max(a, b)
    return math.exp(TIE_SIGMA * float(seeds.stream("workload", "use", low, high).standard_normal()))


def _ties(degrees: list[int], seeds: Seeds) -> list[tuple[int, int]]:
    """Join stubs at random; whoever stays alone gets the next account as a contact."""
    if len(degrees) < 2:
        return []
    stubs = list(degrees)
    stubs[0] += sum(stubs) % 2  # an even number of stubs is needed
    rng = seeds.stream("workload", "graph")
    graph: nx.Graph[int] = nx.Graph(nx.configuration_model(stubs, seed=int(rng.integers(2**31))))
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    for lonely in [node for node, degree in graph.degree() if degree == 0]:
        graph.add_edge(lonely, (lonely + 1) % len(stubs))
    return sorted((min(a, b), max(a, b)) for a, b in graph.edges())
