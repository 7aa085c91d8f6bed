"""The family of workload patterns and what each must give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sessionsim.core.intents import Wish
from sessionsim.core.people import People
from sessionsim.core.registry import Registry
from sessionsim.core.seeds import Seeds


class Pattern(Protocol):
    """A workload: it turns people, a horizon and chance into wishes."""

    def kinds(self) -> frozenset[str]:
        """Give what clients must be able to do for every wish that may come (`core.intents.KINDS`)."""
        ...

    def intents(self, people: People, horizon_us: int, seeds: Seeds) -> Sequence[Wish]:
        """Give all wishes in the order of `core.intents.order_of`, times in [0, horizon_us)."""
        ...


class PatternFactory(Protocol):
    """The class of a drop-in: built from its own config dataclass."""

    def __call__(self, config: Any) -> Pattern: ...


PATTERNS: Registry[PatternFactory] = Registry("pattern", "sessionsim.workload.patterns")
