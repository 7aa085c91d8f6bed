"""The secret rhythm of an interference: which slots of which target are marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import Seeds
from sessionsim.network.interference.kinds import Timed

Flags = npt.NDArray[np.bool_]


class Rhythm:
    """The marked slots of all targets.

    Args:
        name: of the interference; chance is addressed by it and the target, so that another target or another
            interference moves nothing here.
        config: length and share of slots, begin and end.
        targets: endpoints; a slot of anybody else is never marked.
        seeds: of the replicate.
        horizon_us: end of the run.
    """

    def __init__(
        self, name: str, config: Timed, targets: Iterable[int], seeds: Seeds, horizon_us: int
    ) -> None:
        self.at_us, self.slot_us = config.at_us, config.slot_us
        end_us = config.at_us + config.lasts_us if config.lasts_us else horizon_us
        self.end_us = min(end_us, horizon_us)
        n = max(0, -(-(self.end_us - self.at_us) // self.slot_us))
        self._marked: dict[int, Flags] = {}
        for target in sorted(targets):
            marked = np.zeros(n, dtype=bool)
            order = seeds.stream("interference", name, "slots", target).permutation(n)
            marked[order[: round(config.share_prob * n)]] = True
            self._marked[target] = marked

    @property
    def targets(self) -> tuple[int, ...]:
        """All targets, ascending."""
        return tuple(self._marked)

    def is_on(self, t_us: int) -> bool:
        """Say whether the interference goes on at a time."""
        return self.at_us <= t_us < self.end_us

    def is_marked(self, target: int, t_us: int) -> bool:
        """Say whether a time lies in a marked slot of a target."""
        marked = self._marked.get(target)
        return marked is not None and self.is_on(t_us) and bool(marked[(t_us - self.at_us) // self.slot_us])

    def next_marked_us(self, target: int, t_us: int) -> int:
        """Give the first time from `t_us` on that lies in a marked slot or outside of it all."""
        until_us = t_us
        while self.is_on(until_us) and not self.is_marked(target, until_us):
            until_us += self.slot_us - (until_us - self.at_us) % self.slot_us
        return until_us if until_us == t_us else min(until_us, self.end_us)

    def slots(self) -> Iterator[tuple[int, int, int]]:
        """Give target, begin and end in µs of every marked slot."""
        for target, marked in self._marked.items():
            for slot in np.flatnonzero(marked).tolist():
                begin_us = self.at_us + slot * self.slot_us
                yield target, begin_us, min(begin_us + self.slot_us, self.end_us)
