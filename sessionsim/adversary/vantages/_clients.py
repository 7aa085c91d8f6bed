"""Choosing one client, by its number."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary.vantages._shared import clock_setting
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Scene
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class ClientChoice:
    """Which client it is about."""

    client: int = setting(
        0,
        doc="Number of the client, counted from 0.",
        source="Assumption: the first",
        low=0,
        high=100_000_000,
    )
    clock_offset_us: int = clock_setting()


@dataclass(frozen=True, slots=True)
class TheftChoice(ClientChoice):
    """From which client something is taken, and when."""

    at_us: int = setting(
        0,
        unit="us",
        doc="Simulated time of the theft.",
        source="Assumption: before the run begins",
        low=0,
    )
    asks_swarm: bool = setting(
        True,
        doc="Whether the thief asks the swarms of the account and its groups then for all they hold.",
        source="threat-model A17, A18; transport 5.3: the account's key is all that it takes",
    )


def chosen_client(client: int, scene: Scene) -> int:
    """Give the client's place in the scene's tuples. Raises InvalidInput for one that is not there."""
    n = len(scene.client_endpoints)
    if not 0 <= client < n:
        raise InvalidInput("vantage client", client, f"client numbers from 0 to {n - 1}")
    return client
