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
    scores = np.zeros((names, len(trains)))
    for column, train in enumerate(trains):
        met = np.searchsorted(train, t_us + until_us, "right") > np.searchsorted(train, t_us + from_us)
        chance = _covered(train, until_us - from_us) / max(span_us, until_us - from_us, 1)
        chance = min(chance, 1.0)
        hits = np.bincount(whose, met, minlength=names)
        scores[:, column] = (hits - many * chance) / np.sqrt(many * chance * (1 - chance) + _LEAST_VARIANCE)
    return scores


def _covered(train: Ints, width_us: int) -> int:
    """Give how much time the windows of a train cover together."""
    return int(np.minimum(np.diff(train), width_us).sum()) + width_us if len(train) else 0
