"""A compiled plan: what changes when, and which ways are rough in between. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

FOREVER_US: Final = 1 << 62


class What(IntEnum):
    """What a turn changes, and what its value means."""

    CRASHES = 0  # Answer
    STARTS = 1  # bool: the disk was lost
    HANGS = 2  # int: until when, us
    SLOWS = 3  # Extra
    SPEEDS_UP = 4  # the same Extra
    CLOCK_MOVES = 5  # int: by how much it is moved ahead, us
    DISK_FILLS = 6  # None
    DISK_EMPTIES = 7  # None
    WAY_BEGINS = 8  # Way; of no machine, endpoint -1
    WAY_ENDS = 9  # the same Way


class Answer(IntEnum):
    """What whoever asks a crashed machine gets. UP: it lives."""

    UP = 0
    REFUSED = 1
    SILENT = 2


class Extra(NamedTuple):
    """Time that is added. Args: us: how much; varies: exponential with that mean; name: of the draws."""

    us: int
    varies: bool
    name: int


class Turn(NamedTuple):
    """One change. Args: endpoint: of the machine; -1: of a way."""

    t_us: int
    endpoint: int
    what: What
    value: Any


@dataclass(frozen=True, slots=True)
class Way:
    """A spell on the links of some machines.

    Args:
        begin_us, end_us: from when to when.
        struck: endpoints; None for all.
        cuts: nothing passes between the struck and the others; otherwise all links of the struck are hit.
        lost_prob: share of segments lost.
        extra: time added one way.
        name: 64-bit number of its draws.
    """

    begin_us: int
    end_us: int
    struck: frozenset[int] | None
    cuts: bool
    lost_prob: float
    extra: Extra | None
    name: int

    def touches(self, src: int, dst: int) -> bool:
        """Say whether it concerns transmissions between two endpoints."""
        if self.struck is None:
            return not self.cuts  # with everybody on one side there is nothing to cut
        if self.cuts:
            return (src in self.struck) != (dst in self.struck)
        return src in self.struck or dst in self.struck


@dataclass(frozen=True, slots=True)
class Plan:
    """All that fails in one replicate. Args: turns: in order of time; ways: by their begin; horizon_us."""

    turns: tuple[Turn, ...]
    ways: tuple[Way, ...]
    horizon_us: int
