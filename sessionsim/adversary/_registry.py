"""The family of vantages: who stands where.

A vantage chooses endpoints before a run, from what anyone can know then (`core.scene.Scene`). What it sees
from there is decided by `observation` alone, the same way for every vantage.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from sessionsim.core.registry import Registry
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


class Vantage(Protocol):
    """What every drop-in of the family offers."""

    def __init__(self, config: Any) -> None:
        """Take the settings of one vantage of a scenario."""

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Choose the place.

        Args:
            scene: the stage of the replicate.
            seeds: root of chance; equal seeds give equal places.

        Raises:
            InvalidInput: the settings name something that is not on this stage.
        """


VANTAGES: Final[Registry[type[Vantage]]] = Registry("vantage", "sessionsim.adversary.vantages")
