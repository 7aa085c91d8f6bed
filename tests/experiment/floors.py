"""What every reading of an attack must keep to: a blind guess scores the base rate, an oracle the ceiling."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sessionsim.core.readings import Reading

SHARES = ("time-to-compromise", "coverage-of-many")


def floor_holds(one: Reading) -> bool:
    """Whether the base rate lies where a blind guess's own interval, widened a little, has it.

    Three seeds that happen to agree have an interval of no width; so at least the luck of as many single
    guesses is allowed.
    """
    low, high = one.counts.get("blind low"), one.counts.get("blind high")
    if low is None or high is None or one.baseline is None:
        return True
    asked = max(one.counts.get("asked", 1.0), 1.0)
    luck = 1.96 * math.sqrt(max(one.baseline * (1 - one.baseline), 0.0) / asked)
    return abs(one.baseline - (low + high) / 2) <= max(high - low, luck) + 3 / asked


def between_floor_and_ceiling(readings: Sequence[Reading]) -> int:
    """Check the readings of attacks, and say how many were checked."""
    tops = [one for one in readings if one.metric == "rank-of-truth" and ": top " in one.name]
    for one in tops:
        assert floor_holds(one), one
        if one.counts["asked"]:
            reachable = one.counts["reachable"] / one.counts["asked"]
            assert math.isclose(one.counts["ceiling"], reachable, abs_tol=1e-9)
        assert one.value is None or one.value <= one.counts["ceiling"] + 1e-9
    games = [one for one in readings if one.name.endswith(": advantage")]
    for one in games:
        if one.baseline is not None:
            # A blind guess's place is uniform, so its game has the deviation 1/sqrt(3); an account's games
            # share their rivals and count as one.
            assert abs(one.baseline) < 4.5 / math.sqrt(3 * one.counts["accounts"]), one
    numbers = [one for one in readings if one.name.endswith(": mean error")]
    for one in numbers:
        assert one.value is None or one.value >= one.counts["ceiling"] == 0, one
    return len(tops) + len(games) + len(numbers) + sum(one.metric in SHARES for one in readings)
