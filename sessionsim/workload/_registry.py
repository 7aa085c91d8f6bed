"""The family of workload patterns and what each must give."""

from __future__ import annotations

from typing import Any, Protocol

from sessionsim.core.intents import Intent
from sessionsim.core.registry import Registry
from sessionsim.core.seeds import Seeds


class Pattern(Protocol):
    """A workload: it turns a number of accounts, a horizon and chance into wishes."""

    def intents(self, n_accounts: int, horizon_us: int, seeds: Seeds) -> list[Intent]:
        """Give all wishes in time order, times in [0, horizon_us), sender and recipient below n_accounts."""
        ...


class PatternFactory(Protocol):
    """The class of a drop-in: built from its own config dataclass."""

    def __call__(self, config: Any) -> Pattern: ...


PATTERNS: Registry[PatternFactory] = Registry("pattern", "sessionsim.workload.patterns")
