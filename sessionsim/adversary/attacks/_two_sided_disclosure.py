"""Two-sided disclosure: replies tell as much as first messages (metrics 2c).

Whom the target writes to shows in the rounds it sends in; who writes to the target shows in the rounds it
receives in. Conversations go both ways, so a contact stands out twice. The published attack weighs the
expected volume of replies at each moment; here the two estimates are added after division by their standard
errors, which needs no law of reply delays and is the same when both sides are equally noisy.

Source: Danezis, Diaz, Troncoso, Two-Sided Statistical Disclosure Attack, PET 2007; the weights are ours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._statistical_disclosure import statistical_disclosure

Floats = npt.NDArray[np.float64]


def two_sided_disclosure(
    sends: npt.ArrayLike, received: npt.ArrayLike, gets: npt.ArrayLike, sent: npt.ArrayLike
) -> Floats:
    """Score the contacts of one target from both directions.

    Args:
        sends, gets: whether the target sent, and received, in a round, shape (rounds,).
        received, sent: messages received and sent per round and person, shape (rounds, people).

    Returns:
        Score per person, in standard errors; a side without any round adds nothing.
    """
    score = np.zeros(np.asarray(received).shape[1])
    for active, counts in ((sends, received), (gets, sent)):
        flags, table = np.asarray(active, dtype=bool), np.asarray(counts, dtype=np.float64)
        if flags.any():
            error = np.sqrt(table.var(axis=0).mean() / flags.sum())
            score = score + statistical_disclosure(flags, table) / max(float(error), 1e-12)
    return score
