"""The global passive adversary (A9): it taps every link there is and opens nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._shared import clock_setting
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds


@dataclass(frozen=True, slots=True)
class Config:
    """How well it keeps time."""

    clock_offset_us: int = clock_setting()


@VANTAGES.register(config=Config, source="threat-model A9; Q7")
class GlobalPassive:
    """Everybody's links at once: times and sizes of all encrypted records, and no bytes inside."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Tap every endpoint."""
        return Position(tapped=scene.endpoints, clock_offset_us=self._config.clock_offset_us)
