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

from sessionsim.adversary.attacks._statistical_disclosure import statistical_disclosures

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


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
    flags = [np.asarray(active, dtype=bool)[:, None] for active in (sends, gets)]
    tables = [np.asarray(counts, dtype=np.float64) for counts in (received, sent)]
    found: Floats = two_sided_disclosures(flags[0], tables[0], flags[1], tables[1])[0]
    return found


def two_sided_disclosures(sends: Flags, received: Floats, gets: Flags, sent: Floats) -> Floats:
    """Score the contacts of many targets, each as `two_sided_disclosure` does, in one pass.

    Args:
        sends, gets: whether each target sent, and received, in a round, shape (rounds, targets).
        received, sent: messages per round and person, shape (rounds, people).

    Returns:
        Shape (targets, people).
    """
    score = np.zeros((sends.shape[1], received.shape[1]))
    for flags, table in ((sends, received), (gets, sent)):
        error = np.sqrt(table.var(axis=0).mean() / np.maximum(flags.sum(axis=0), 1))
        score += statistical_disclosures(flags, table) / np.maximum(error, 1e-12)[:, None]
    return score
