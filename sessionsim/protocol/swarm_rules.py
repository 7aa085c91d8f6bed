"""How large swarms are and who moves where, as numbers a scenario may change (transport 2.1).

The reference also declares a largest swarm size of 10 and a buffer of 5 and uses neither; they are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting

_RULES = "oxen-core: src/cryptonote_core/service_node_rules.h"


@dataclass(frozen=True, slots=True)
class SwarmRules:
    """Sizes in nodes, percentiles of swarms sorted by size."""

    minimum: int = setting(
        5,
        low=1,
        doc="Nodes a swarm needs; one with fewer starves.",
        source=f"transport 2.1; {_RULES} MIN_SWARM_SIZE",
    )
    excess_base: int = setting(
        5,
        low=1,
        doc="Nodes of a swarm above this number count as excess.",
        source=f"transport 2.1; {_RULES} EXCESS_BASE",
    )
    margin: int = setting(
        2,
        low=0,
        doc="Excess that each swarm keeps when a new swarm is made; base and margin are the ideal size.",
        source=f"transport 2.1; {_RULES} IDEAL_SWARM_MARGIN",
    )
    new_size: int = setting(
        7,
        low=1,
        doc="Nodes that a new swarm gets.",
        source=f"transport 2.1; {_RULES} NEW_SWARM_SIZE",
    )
    fill_percentile: int = setting(
        25,
        low=0,
        high=100,
        doc="A newly assigned node goes to a swarm no larger than this percentile.",
        source=f"transport 2.1; {_RULES} FILL_SWARM_LOWER_PERCENTILE",
    )
    steal_percentile: int = setting(
        75,
        low=0,
        high=100,
        doc="A starving swarm is fed by swarms of at least the size at this percentile.",
        source=f"transport 2.1; {_RULES} STEALING_SWARM_UPPER_PERCENTILE",
    )
    dissolve_percentile: int = setting(
        0,
        low=0,
        high=100,
        doc="A node of a dissolved swarm goes to a swarm no larger than this percentile.",
        source=f"transport 2.1; {_RULES} DECOMMISSIONED_REDISTRIBUTION_LOWER_PERCENTILE",
    )

    tie_order: str = setting(
        "gnu",
        doc="Order of swarms of equal size: that of GNU's std::sort, or of their ids.",
        source="Assumption: transport 2.3 leaves it open; the reference's Linux builds use GNU's library",
        choices=("gnu", "id"),
    )

    def __post_init__(self) -> None:
        # Otherwise making a swarm would leave a starving one behind, and the rules need not come to an end.
        for name, size in (("excess_base", self.excess_base), ("new_size", self.new_size)):
            if size < self.minimum:
                raise InvalidInput(name, size, f"at least minimum, which is {self.minimum}")
        if self.minimum < 1 or self.margin < 0:
            raise InvalidInput("minimum and margin", (self.minimum, self.margin), "at least 1 and 0 nodes")
        if self.tie_order not in {"gnu", "id"}:
            raise InvalidInput("tie_order", self.tie_order, "gnu or id")
        for name in ("fill_percentile", "steal_percentile", "dissolve_percentile"):
            if not 0 <= getattr(self, name) <= 100:
                raise InvalidInput(name, getattr(self, name), "0 to 100")
