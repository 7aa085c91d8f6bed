"""How much oftener than chance the events of one name have an event of another train near them.

With n events of a name, and a train that covers the share p of the time by its windows, an unrelated name
would meet about n p of them, with the variance n p (1 - p). The score is what is beyond, in deviations; a
quarter of an event is added to the variance, so that windows that cover all or none of the time divide by
something. Windows that overlap are counted once.

Source: metrics 2b (chance of a partner).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._trains import meetings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST_VARIANCE = 0.25  # Assumption: of one event that may as well have met as not


def excess(
    t_us: Ints, whose: npt.NDArray[np.intp], names: int, trains: Sequence[Ints], from_us: int, until_us: int
) -> Floats:
    """Score each name against each train.

    Args:
        t_us, whose: events, and the number of each one's name, below `names`.
        trains: times of each other train, ascending.
        from_us, until_us: a train meets an event by being at most this far from it; negative is before.

    Returns:
        Scores in standard deviations, shape (names, trains).
    """
    many = np.bincount(whose, minlength=names).astype(np.float64)
    span_us = int(np.ptp(np.concatenate([t_us, *trains]))) if len(t_us) else 0
    width_us = until_us - from_us
    covered = np.array([_covered(train, width_us) for train in trains], dtype=np.float64)
    chance = np.minimum(covered / max(span_us, width_us, 1), 1.0)[None, :]
    others_us = np.concatenate([*trains, np.zeros(0, dtype=np.int64)])
    order = np.argsort(others_us, kind="stable")
    theirs = np.repeat(np.arange(len(trains)), [len(train) for train in trains])[order]
    others = (others_us[order], theirs, len(trains))
    hits = meetings((t_us, whose, names), others, from_us, until_us + 1)
    expected = many[:, None] * chance
    found: Floats = (hits - expected) / np.sqrt(expected * (1 - chance) + _LEAST_VARIANCE)
    return found


def _covered(train: Ints, width_us: int) -> int:
    """Give how much time the windows of a train cover together."""
    return int(np.minimum(np.diff(train), width_us).sum()) + width_us if len(train) else 0
