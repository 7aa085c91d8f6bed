"""Sealed-sender scoring: who receives right after the target does (metrics 2c).

A message to the target brings receipts, typing signs, replies and sync copies; the partner's inbox is filled
within a short epoch after. Count for each inbox the epochs after a message to the target in which it was
written to, and take off as many epochs chosen elsewhere, in which it is written to by chance. Needs stores
of inboxes only, no address: the swarm members of target and candidates.

Source: Martiny, Kaptchuk, Aviv, Roche, Wilson, Improving Signal's Sealed Sender, NDSS 2021.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import LocalProtocolError

Floats = npt.NDArray[np.float64]


def sealed_sender_scores(
    inbox: npt.ArrayLike,
    stored_s: npt.ArrayLike,
    target_s: npt.ArrayLike,
    random_s: npt.ArrayLike,
    epoch_s: float,
    inboxes: int,
) -> Floats:
    """Score every inbox as a partner of the target.

    Args:
        inbox, stored_s: stores seen, number of the inbox and time in s ascending, shape (stores,).
        target_s: when the target's inbox was written to; random_s: as many moments when it was not.
        epoch_s: how long an epoch lasts after its moment, s.
        inboxes: how many there are.

    Returns:
        Epochs after the target's messages with a store, minus those after random moments, shape (inboxes,).
        An inbox counts once an epoch.

    Raises:
        LocalProtocolError: times of stores do not ascend.
    """
    who, when = np.asarray(inbox, dtype=np.int64), np.asarray(stored_s, dtype=np.float64)
    if np.any(np.diff(when) < 0):
        raise LocalProtocolError("stores must be in order of time")
    score = np.zeros(inboxes)
    for moments, sign in ((target_s, 1.0), (random_s, -1.0)):
        begin = np.asarray(moments, dtype=np.float64)
        first = np.searchsorted(when, begin, "right")
        last = np.searchsorted(when, begin + epoch_s, "right")
        for a, b in zip(first.tolist(), last.tolist(), strict=True):
            score[np.unique(who[a:b])] += sign
    return score
