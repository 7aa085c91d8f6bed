"""People with contacts, days and nights, who converse the way the measured ones do.

Direct messages only (`workload.talk`); `everyday` has the rest of a messenger. Source: metrics 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.intents import Intent
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.contacts import circles
from sessionsim.workload.rhythm import Rhythm, clocks
from sessionsim.workload.talk import Talk, direct_texts


@dataclass(frozen=True, slots=True)
class Config(Rhythm, Talk):
    """Settings of conversations."""


@PATTERNS.register(
    config=Config, source="metrics 4.1 and 4.2; the splitting into own moments and answers is ours"
)
class Conversations:
    """Contacts conversing with measured gaps, answers, sessions and hours of the day."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes: texts."""
        return frozenset({"text"})

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Intent]:
        """Give all wishes in time order; none for fewer than two accounts.

        Args:
            people: who takes part.
            horizon_us: times are in [0, horizon_us).
            seeds: streams as in `contacts.circles`, `rhythm.clocks` and `Dialogue`.
        """
        known = circles(len(people), seeds)
        own = clocks(people, self._config, seeds)
        return list(direct_texts(known, own, self._config.messages_per_day, horizon_us, seeds))
