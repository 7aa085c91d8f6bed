"""Calls and nothing else, each with the messages that set it up (`workload.calls`).

Order and pauses of the messages: messages 2.3, client-behaviour 6.5 and the clients' code; rates, lengths and
outcomes are assumed, each number a key.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.intents import Call
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.calls import CallRules, calls
from sessionsim.workload.rhythm import Rhythm, clocks
from sessionsim.workload.talk import Acquaintance, acquainted


@dataclass(frozen=True, slots=True)
class Config(Rhythm, Acquaintance, CallRules):
    """Settings of calls."""


@PATTERNS.register(
    config=Config, source="messages 2.3, client-behaviour 6.5 (signalling); rates are assumptions"
)
class Calls:
    """Calls between contacts who opted in, with their signalling messages."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self) -> frozenset[str]:
        """Give the kinds of wishes: calls."""
        return frozenset({"call"})

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> list[Call]:
        """Give all wishes in time order; none for fewer than two accounts.

        Args:
            people: who takes part.
            horizon_us: calls begin in [0, horizon_us).
            seeds: used as in `talk.acquainted`, `rhythm.clocks` and `calls.calls`.
        """
        config = self._config
        known = acquainted(people, config, seeds)
        return list(calls(config, people, known, clocks(people, config, seeds), horizon_us, seeds))
