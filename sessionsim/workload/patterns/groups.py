"""Groups and nothing else: who is in which, what they write, who comes and goes.

Groups of contacts stand when the run begins (`workload.group_life`); their talk and their changes are told by
`workload.group_story`. Sizes: metrics 4.3; gaps: metrics 4.1, by analogy; the rest is assumed, each number a
key.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.intents import Wish, order_of
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.floor import Floors
from sessionsim.workload.group_life import GroupRules
from sessionsim.workload.group_story import Surroundings, group_wishes
from sessionsim.workload.rhythm import Rhythm, clocks
from sessionsim.workload.talk import Acquaintance, acquainted


@dataclass(frozen=True, slots=True)
class Config(Rhythm, Floors, Acquaintance, GroupRules):
    """Settings of groups."""


@PATTERNS.register(
    config=Config,
    source="metrics 4.3 (sizes), 4.1 (gaps, spreads, by analogy); rates and mix of actions are assumptions",
)
class Groups:
    """Groups of contacts: their messages, and who comes, goes and changes what."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes."""
        return frozenset({"group", "group-action", "group-text"})

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Wish]:
        """Give all wishes in time order; none for fewer than two accounts.

        Args:
            people: who takes part.
            horizon_us: times are in [0, horizon_us).
            seeds: used as in `talk.acquainted`, `rhythm.clocks` and `group_story.group_wishes`.
        """
        config = self._config
        known = acquainted(people, config, seeds)
        own = clocks(people, config, seeds)
        world = Surroundings(config, config, known, own, None, seeds, horizon_us)
        return sorted(group_wishes(world), key=order_of)
