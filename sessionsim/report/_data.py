"""All that a report is made from, already loaded: no file is read after this.

`render` and `answers` take it as it is, so tests need no run. Reading it from a run folder is `_load`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sessionsim.core.ledger import Fact
from sessionsim.core.readings import Reading
from sessionsim.core.sights import Sights


@dataclass(frozen=True, slots=True, eq=False)
class SeedFacts:
    """One replicate as the report needs it.

    Args:
        seed, suite: as in its manifest.
        opened: whether its bytes were kept and opened.
        intent_us, stored_us, delivered_us: of messages of the measured phase, -1 where it did not happen.
    """

    seed: int
    suite: str
    opened: bool
    intent_us: npt.NDArray[np.int64]
    stored_us: npt.NDArray[np.int64]
    delivered_us: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ReportData:
    """One scenario's stored results.

    Args:
        name: of the scenario.
        readings: of all seeds together.
        manifest: of one replicate; all share version, title, question, observers, resolved scenario
            and settings, and nothing else of it is shown as if it were everybody's.
        seeds: in ascending order.
        facts: of the opened replicates, in ledger order; examples of derivations are taken from them.
        licences: title -> text of the notices of shipped data.
        sights: what observers saw, prepared to be shown; None where nobody's bytes were kept, or nobody
            prepared them.
    """

    name: str
    readings: tuple[Reading, ...]
    manifest: Mapping[str, Any]
    seeds: tuple[SeedFacts, ...]
    facts: tuple[Fact, ...] = ()
    licences: Mapping[str, str] = field(default_factory=dict)
    sights: Sights | None = None


class Readings:
    """Readings by metric and name."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self.all = tuple(readings)
        self._by_name = {(one.metric, one.name): one for one in self.all}

    def get(self, metric: str, name: str) -> Reading | None:
        """Give one reading; None if the run has none of that name."""
        return self._by_name.get((metric, name))

    def of(self, metric: str) -> list[Reading]:
        """Give all readings of a metric, in stored order."""
        return [one for one in self.all if one.metric == metric]

    def observers(self) -> list[str]:
        """Name the observers that have a ledger, in stored order."""
        names = [one.name.split(": ")[0] for one in self.of("who-learned-what")]
        return list(dict.fromkeys(names))
