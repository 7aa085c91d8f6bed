"""People with contacts, days and nights, who converse the way the measured ones do.

Direct messages only (`workload.talk`); `everyday` has the rest of a messenger. Source: metrics 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.intents import Intent
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.rhythm import Rhythm, clocks
from sessionsim.workload.talk import Acquaintance, Talk, acquainted, direct_texts


@dataclass(frozen=True, slots=True)
class Config(Rhythm, Acquaintance, Talk):
    """Settings of conversations."""

    one_way_share: float = setting(
        0.0,
        unit="prob",
        doc="Share of ties between contacts on which only one side ever writes; 53.3 % is the measured one.",
        source="Assumption: everybody answers sometimes, as this pattern has had it from the start",
        low=0.0,
        high=1.0,
    )
    home_share: float = setting(
        0.0,
        unit="prob",
        doc="Share of a person's contacts that live in the same country, beyond what chance gives.",
        source="Assumption: countries do not matter, as this pattern has had it from the start",
        low=0.0,
        high=1.0,
    )


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
        config = self._config
        known, own = acquainted(people, config, seeds), clocks(people, config, seeds)
        texts = direct_texts(known, own, config.messages_per_day, config.one_way_share, horizon_us, seeds)
        return list(texts)
