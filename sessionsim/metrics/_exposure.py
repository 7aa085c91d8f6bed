"""Which nodes an account depends on: the members of its swarm and the first hops of its paths."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.metrics._facts import Replicate
from sessionsim.metrics.closed_forms.coverage import Coverage, Shape


@dataclass(frozen=True, slots=True)
class Exposure:
    """The nodes one account depends on. Args: swarm: its members; guards: first hops of its paths."""

    swarm: frozenset[int]
    guards: frozenset[int]

    @property
    def shape(self) -> Shape:
        return Shape(len(self.swarm), len(self.guards), len(self.swarm | self.guards))

    def covered(self, bad: frozenset[int]) -> Coverage:
        """Tell (1.0 or 0.0) which of the three events a set of operated nodes brings about."""
        replica, guard = bool(self.swarm & bad), bool(self.guards & bad)
        return Coverage(float(replica), float(guard), float(replica and guard))


def exposures(replicate: Replicate) -> list[Exposure]:
    """Read from truth, per account, which nodes hold its messages and see its address."""
    accounts, members = replicate.truth.accounts, replicate.nodes.members
    return [
        Exposure(frozenset(members[int(str(swarm), 16)]), frozenset(int(g) for g in str(guards).split()))
        for swarm, guards in zip(accounts["swarm"], accounts["guards"], strict=True)
    ]
