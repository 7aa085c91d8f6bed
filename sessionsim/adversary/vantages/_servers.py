"""Vantages at servers: who runs them, and which kinds of server a world may have.

Kinds are the keys of `Scene.servers`. A server's operator sees what the server gets and sends as bytes and
holds its keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sessionsim.adversary.vantages._shared import clock_setting
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Scene

FILE: Final = "file"
PUSH: Final = "push"
COMMUNITY: Final = "community"
SEED: Final = "seed"
TURN: Final = "turn"
APPLE: Final = "apple"
GOOGLE: Final = "google"
HUAWEI: Final = "huawei"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How well the operator keeps time."""

    clock_offset_us: int = clock_setting()


def run_servers(kinds: Iterable[str], scene: Scene, config: ServerConfig) -> Position:
    """Operate all servers of some kinds.

    Raises:
        InvalidInput: this world has none of them.
    """
    wanted = tuple(kinds)
    operated = frozenset(end for kind in wanted for end in scene.servers.get(kind, ()))
    if not operated:
        there = ", ".join(sorted(scene.servers)) or "none"
        raise InvalidInput("vantage kind", " or ".join(wanted), f"servers of this world: {there}")
    return Position(operated=operated, clock_offset_us=config.clock_offset_us)
