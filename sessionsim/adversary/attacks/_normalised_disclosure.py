"""Normalised disclosure: in a round every sent message is one of the received ones (metrics 2c).

Plain disclosure forgets that the senders of a round share its recipients: if one message is surely for Bob,
no other is. Here the profiles of a round's senders, restricted to its recipients, are scaled until each
message goes somewhere and each place is taken once (Sinkhorn's scaling), and the result feeds the profiles.

Source: Troncoso, Gierlichs, Preneel, Verbauwhede, Perfect Matching Disclosure Attacks, PETS 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FLOOR: Final = 1e-9  # Assumption: keeps an unlikely recipient possible
Round = tuple[Ints, Ints]  # senders of the messages of a round, and their recipients in any order


def normalised_disclosure(
    rounds: Sequence[Round], profiles: npt.ArrayLike, passes: int = 1, scalings: int = 10
) -> Floats:
    """Improve profiles by normalising each round.

    Args:
        rounds: per round the senders and the recipients of its messages, equally many.
        profiles: first estimate, shape (senders, recipients), for example of plain disclosure.
        passes: how often all rounds are gone through. scalings: rows and columns in turn, per round.

    Returns:
        Profiles of the same shape; rows of senders that sent sum to 1.
    """
    current = np.maximum(np.asarray(profiles, dtype=np.float64), _FLOOR)
    for _ in range(passes):
        gathered = np.zeros_like(current)
        for senders, recipients in rounds:
            np.add.at(
                gathered,
                (senders[:, None], recipients[None, :]),
                doubly_scaled(current[np.ix_(senders, recipients)], scalings),
            )
        total = gathered.sum(axis=1, keepdims=True)
        current = np.where(total > 0, gathered / np.where(total > 0, total, 1), current)
        current = np.maximum(current, _FLOOR)
    return current


def doubly_scaled(weights: Floats, scalings: int) -> Floats:
    """Scale a square of positive weights until rows and columns sum to about 1."""
    scaled = weights.copy()
    for _ in range(scalings):
        scaled /= scaled.sum(axis=1, keepdims=True)
        scaled /= scaled.sum(axis=0, keepdims=True)
    return scaled
