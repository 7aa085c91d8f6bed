"""Least-squares disclosure: all senders' profiles at once (metrics 2c).

Received counts are a linear function of sent counts, Y = U P plus noise of mean zero, so the profiles are
the least-squares solution. Each sender's estimate is freed of the others' profiles, where plain disclosure
treats them as one background; that pays as soon as there are clearly more rounds than senders.

Source: Pérez-González, Troncoso, Understanding Statistical Disclosure: A Least Squares Approach, PETS 2012.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.errors import LocalProtocolError

Floats = npt.NDArray[np.float64]


def least_squares_disclosure(
    sent: npt.ArrayLike, received: npt.ArrayLike, *, nonnegative: bool = False
) -> Floats:
    """Estimate the profiles of all senders.

    Args:
        sent: messages per round and sender, shape (rounds, senders). received: shape (rounds, recipients).
        nonnegative: keep every estimate at 0 or above, and let each row sum to 1 (biased, smaller error).

    Returns:
        Shape (senders, recipients): share of each sender's messages that go to each recipient. With fewer
        rounds than senders the solution of least norm.
    """
    u, y = np.asarray(sent, dtype=np.float64), np.asarray(received, dtype=np.float64)
    if len(u) != len(y):
        raise LocalProtocolError(f"{len(u)} rounds of sending and {len(y)} of receiving")
    if not nonnegative:
        return np.asarray(np.linalg.lstsq(u, y, rcond=None)[0], dtype=np.float64)
    profile = np.column_stack([scipy.optimize.nnls(u, column)[0] for column in y.T])
    total = profile.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(profile, total, where=total > 0, out=np.full_like(profile, 1 / y.shape[1]))
    return shares
