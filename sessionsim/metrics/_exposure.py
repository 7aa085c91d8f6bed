"""Which nodes an account depends on: the members of its swarm and the first hops of its devices' paths."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.metrics._facts import Replicate
from sessionsim.metrics.closed_forms.coverage import Coverage, Shape


@dataclass(frozen=True, slots=True)
class Exposure:
    """The nodes one account depends on.

    Args:
        swarm: its members.
        guards: first hops of all paths of its devices.
    """

    swarm: frozenset[int]
    guards: frozenset[int]

    @property
    def shape(self) -> Shape:
        return Shape(len(self.swarm), len(self.guards), len(self.swarm | self.guards))

    def covered(self, bad: frozenset[int], members: frozenset[int] | None = None) -> Coverage:
        """Tell (1.0 or 0.0) which of the three events operated nodes bring about.

        Args:
            bad: nodes that are bad as guards.
            members: nodes that are bad as swarm members; None for the same ones.
        """
        replica, guard = bool(self.swarm & (bad if members is None else members)), bool(self.guards & bad)
        return Coverage(float(replica), float(guard), float(replica and guard))


def exposures(replicate: Replicate) -> list[Exposure]:
    """Read from truth, per account, which nodes hold its messages and see its address."""
    devices, members = replicate.truth.devices, replicate.nodes.members
    guards: list[set[int]] = [set() for _ in range(replicate.n_accounts)]
    for account, firsts in zip(devices["account"].tolist(), devices["guards"].tolist(), strict=True):
        guards[account].update(int(guard) for guard in firsts.split())
    return [
        Exposure(frozenset(members[int(swarm, 16)]), frozenset(own))
        for swarm, own in zip(replicate.truth.accounts["swarm"].tolist(), guards, strict=True)
    ]
