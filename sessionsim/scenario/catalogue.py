"""What a scenario may contain besides its own sections; `experiment` scans the drop-ins and hands it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The config classes and words that scenarios of this installation may use.

    Args:
        sections: config dataclass by dotted section name, for example `network.links`.
        platforms: the default rules of each client platform, an instance of its config dataclass.
        parts: of each ability of clients with rules of its own, by platform, the same.
        patterns: config dataclass of each workload pattern.
        vantages: config dataclass of each kind of vantage.
        faults: config dataclass of each kind of fault.
        interference: config dataclass of each kind of interference.
        attacks: config dataclass of each kind of attack.
        defences: config dataclass of each defence.
        suites: names of the crypto suites.
        dates: dates of which a node list is at hand, ascending.
        checks: of sections that must agree with each other: each gets the settings by section, "run" among
            them, and the platform of each client, and raises InvalidInput with a dotted key as its place.
    """

    sections: Mapping[str, type[Any]]
    platforms: Mapping[str, Any]
    parts: Mapping[str, Mapping[str, Any]]
    patterns: Mapping[str, type[Any]]
    vantages: Mapping[str, type[Any]]
    faults: Mapping[str, type[Any]]
    interference: Mapping[str, type[Any]]
    attacks: Mapping[str, type[Any]]
    defences: Mapping[str, type[Any]]
    suites: tuple[str, ...]
    dates: tuple[str, ...]
    checks: tuple[Callable[[Mapping[str, Any], tuple[str, ...]], None], ...] = ()
