"""The internet provider of chosen clients (A7): it taps their access links and opens nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._shared import (
    check_named,
    clock_setting,
    draw_setting,
    random_order,
    share,
)
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Which clients are customers of the provider."""

    by: str = setting(
        "fraction",
        doc="How customers are chosen: a random fraction or count, a platform, a country, or a list.",
        source="Assumption: a random share of the clients",
        choices=("fraction", "count", "platform", "country", "list"),
    )
    fraction: float = setting(
        0.5,
        unit="prob",
        doc="Share of the clients, when chosen by fraction.",
        source="Assumption",
        low=0,
        high=1,
    )
    count: int = setting(
        1, doc="Number of clients, when chosen by count.", source="Assumption", low=0, high=100_000_000
    )
    platform: str = setting("desktop", doc="Platform, when chosen by platform.", source="Assumption")
    country: str = setting("", doc="Two-letter country code, when chosen by country.", source="Assumption")
    clients: tuple[int, ...] = setting(
        (), doc="Client numbers, counted from 0, when chosen by list.", source="Assumption: none"
    )
    draw: int = draw_setting()
    clock_offset_us: int = clock_setting()

    def __post_init__(self) -> None:
        check_named(self.by, {"country": ("country", self.country), "list": ("clients", self.clients)})


@VANTAGES.register(config=Config, source="threat-model A7; metrics 2e")
class Provider:
    """Internet provider of some clients: times and sizes of encrypted records on their links."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Tap the chosen clients. Raises InvalidInput for a client, platform or country that is not there."""
        customers = self._customers(scene, seeds)
        tapped = frozenset(scene.client_endpoints[client] for client in customers)
        return Position(tapped=tapped, clock_offset_us=self._config.clock_offset_us)

    def _customers(self, scene: Scene, seeds: Seeds) -> list[int]:
        config, n = self._config, len(scene.client_endpoints)
        if config.by == "platform":
            return _where(scene.client_platform, config.platform, "platform")
        if config.by == "country":
            return _where(scene.client_country, config.country, "country")
        if config.by == "list":
            wrong = [client for client in config.clients if not 0 <= client < n]
            if wrong:
                raise InvalidInput("vantage provider clients", wrong[0], f"client numbers from 0 to {n - 1}")
            return list(config.clients)
        wanted = config.count if config.by == "count" else share(n, config.fraction)
        if wanted > n:
            raise InvalidInput("vantage provider count", wanted, f"at most {n}, the number of clients")
        return random_order(seeds, "provider", config.draw, range(n))[:wanted]


def _where(values: tuple[str, ...], wanted: str, key: str) -> list[int]:
    found = [client for client, value in enumerate(values) if value == wanted]
    if not found:
        raise InvalidInput(
            f"vantage provider {key}", wanted, "one of " + (", ".join(sorted(set(values))) or "none")
        )
    return found
