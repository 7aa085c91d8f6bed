"""How nodes come and go, as numbers a scenario may change."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_S

_LISTS = "client-behaviour 7.2: the lists of 5 March to 8 April 2026"


@dataclass(frozen=True, slots=True)
class MembershipRules:
    """Arrivals, departures, outages and blocks."""

    mode: str = setting(
        "still",
        doc="Whether nodes come and go: not at all, at rates, or as the dated lists of the real network say.",
        source="Assumption: off, because most questions are about minutes",
        choices=("still", "rates", "replay"),
    )
    assignment: str = setting(
        "algorithm",
        doc="Who serves in which swarm: as the network rules have it, or in a replay as the lists say.",
        source="transport 2.3; client-behaviour 7.2",
        choices=("algorithm", "listed"),
    )
    block_us: int = setting(
        2 * US_PER_MIN, unit="us", low=US_PER_S, high=US_PER_DAY, doc="Time between two blocks.",
        source="client-behaviour 7.1; oxen-core: src/network_config/mainnet.h",
    )  # fmt: skip
    spread_us: int = setting(
        3 * US_PER_S, unit="us", low=0, high=US_PER_MIN,
        doc="Within which time after a block each node has learned of it, each at a moment of its own.",
        source="Assumption: blocks are flooded through a network of a thousand nodes within seconds",
    )  # fmt: skip
    joins_prob: float = setting(
        0.0025, unit="prob", low=0, high=1, doc="Nodes that register in a day, as a share of all.",
        source=f"{_LISTS}: about 4 of 1,580 a day",
    )  # fmt: skip
    leaves_prob: float = setting(
        0.0019, unit="prob", low=0, high=1, doc="Nodes that leave for good in a day, as a share of all.",
        source=f"{_LISTS}: about 3 of 1,580 a day",
    )  # fmt: skip
    outages_prob: float = setting(
        0.004, unit="prob", low=0, high=1,
        doc="Nodes that go off in a day for so long that they are decommissioned, as a share of all.",
        source="Assumption: fitted, so that as many nodes change their swarm in calm weeks as on the lists "
        "(client-behaviour 7.2: 0.2 to 1.6 % a day); what the rules move without it is one node a day",
    )  # fmt: skip
    outage_us: int = setting(
        12 * US_PER_H, unit="us", low=US_PER_S, high=30 * US_PER_DAY,
        doc="How long such an outage lasts beyond the time it takes to be noticed; mean of an exponential.",
        source="Assumption: operators mend most within a day; the credit of 48 h runs out for one in fifty",
    )  # fmt: skip
    outage_answer: str = setting(
        "silent",
        doc="What others notice of a node that is off: silence, or refused connections.",
        source="Assumption: hosts and networks that fail for long do not answer",
        choices=("silent", "refused"),
    )
    lingers_us: int = setting(
        US_PER_H, unit="us", low=0, high=30 * US_PER_DAY,
        doc="How long a node that has left goes on running before it is switched off.",
        source="Assumption: operators switch off what no longer earns, but not at once",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.assignment == "listed" and self.mode != "replay":
            raise InvalidInput("assignment", "listed", "algorithm, or mode replay with it")
