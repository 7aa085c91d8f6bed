"""A coalition: vantages that put what they have into one pool (A5, A8).

It has no place of its own. Its position is the union of its members' positions, so its view is made of the
same rows and keys, and whatever its ledger holds beyond the members' ledgers is emergent (metrics 2i).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from sessionsim.adversary._registry import VANTAGES
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Who takes part."""

    members: tuple[str, ...] = setting(
        (), doc="Names of other vantages of the scenario.", source="Assumption: none; threat-model A5, A8"
    )


@VANTAGES.register(config=Config, source="threat-model A5, A8; metrics 2i")
class Coalition:
    """Several vantages together: the union of their places and keys."""

    def __init__(self, config: Config) -> None:
        self.members = config.members

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Give its own place, which is none: whoever knows the members joins theirs with `join`."""
        return Position()


def join(positions: Iterable[Position]) -> Position:
    """Unite positions in order; the first one's clock is kept. No positions give an empty one."""
    found = list(positions)
    return reduce(or_, found) if found else Position()
