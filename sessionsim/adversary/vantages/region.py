"""An observer of two ends (A8): a country or a hosting company taps what begins or ends there."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._registry import VANTAGES
from sessionsim.adversary.vantages._nodes import largest_clusters
from sessionsim.adversary.vantages._shared import check_named, clock_setting, share, whole_groups
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Which part of the network it taps."""

    by: str = setting(
        "net16",
        doc="What it carries: the links of countries, or of the largest hosts or networks of nodes.",
        source="client-behaviour 7.2: /16 is the nearest thing to a hosting company in the node list",
        choices=("country", "host", "net24", "net16"),
    )
    countries: tuple[str, ...] = setting(
        (), doc="Two-letter codes, when chosen by country.", source="Assumption: none; threat-model A8"
    )
    fraction: float = setting(
        0.29,
        unit="prob",
        doc="Share of all nodes it hosts, when chosen by host or network; the largest ones are taken.",
        source="client-behaviour 7.2: the ten largest /16s of 28 April 2026 hold 28.8 %",
        low=0,
        high=1,
    )
    access_links: bool = setting(
        True,
        doc="Whether it also taps the clients of its countries; hosts and networks have none.",
        source="Assumption: a country's tap covers its access providers",
    )
    clock_offset_us: int = clock_setting()

    def __post_init__(self) -> None:
        check_named(self.by, {"country": ("countries", self.countries)})


@VANTAGES.register(config=Config, source="threat-model A8; metrics 2b")
class Region:
    """A country or hosting company: encrypted records on all links of its nodes and its clients."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def choose(self, scene: Scene, seeds: Seeds) -> Position:
        """Tap the region. Raises InvalidInput for a country in which nothing stands."""
        config, nodes = self._config, scene.nodes
        if config.by == "country":
            tapped = frozenset[int]().union(*(self._in(country, scene) for country in config.countries))
        else:
            groups = largest_clusters(config.by, nodes)
            tapped = whole_groups(groups, share(len(nodes), config.fraction))
        return Position(tapped=tapped, clock_offset_us=config.clock_offset_us)

    def _in(self, country: str, scene: Scene) -> frozenset[int]:
        found = {node for node, its in enumerate(scene.node_country) if its == country}
        if self._config.access_links:
            clients = zip(scene.client_endpoints, scene.client_country, strict=True)
            found |= {client for client, its in clients if its == country}
        if not found:
            known = sorted({*scene.node_country, *scene.client_country})
            raise InvalidInput("vantage countries", country, "one of " + (", ".join(known) or "none"))
        return frozenset(found)
