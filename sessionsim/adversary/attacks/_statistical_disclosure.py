"""Statistical disclosure: whom does the target write to, from who receives when it sends (metrics 2c).

The mean of the rounds in which the target sends is one part its own message and b - 1 parts background.
Take the background off and what stays is the target's profile. Needs only who sent and who received in each
round: first hops or the lines of clients, and swarm members of the recipients.

Source: Danezis, Statistical Disclosure Attacks, SEC 2003.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.errors import LocalProtocolError

Floats = npt.NDArray[np.float64]


def statistical_disclosure(
    active: npt.ArrayLike, received: npt.ArrayLike, background: npt.ArrayLike | None = None
) -> Floats:
    """Estimate the profile of one target: v = b mean(o | active) - (b - 1) u, o shares of a round.

    Args:
        active: whether the target sent in a round, shape (rounds,); at least one did.
        received: messages per round and recipient, shape (rounds, recipients).
        background: what others send to each recipient, a share, shape (recipients,); None estimates it from
            the rounds without the target, or, if there are none, takes it as uniform.

    Returns:
        Score per recipient; the larger, the more the target writes to it. Sums to about 1.
    """
    sends, counts = np.asarray(active, dtype=bool), np.asarray(received, dtype=np.float64)
    if sends.shape != counts.shape[:1] or not sends.any():
        raise LocalProtocolError("statistical disclosure needs one flag a round, and a round with the target")
    found: Floats = statistical_disclosures(sends[:, None], counts, background)[0]
    return found


def statistical_disclosures(
    active: npt.NDArray[np.bool_], received: Floats, background: npt.ArrayLike | None = None
) -> Floats:
    """Estimate the profiles of many targets, each as `statistical_disclosure` does, in one pass.

    Args:
        active: whether each target sent in a round, shape (rounds, targets).

    Returns:
        Shape (targets, recipients); 0 for a target that never sent.
    """
    counts = scipy.sparse.csr_array(received)
    sends = scipy.sparse.csr_array(active.astype(np.float64))
    rounds = np.asarray(sends.sum(axis=0), dtype=np.float64)[:, None]
    seen = (sends.T.tocsr() @ counts).toarray()
    mean = seen / np.maximum(rounds, 1)
    if background is None:
        rest = np.asarray(counts.sum(axis=0), dtype=np.float64) - seen
        total = rest.sum(axis=1, keepdims=True)
        others = np.divide(rest, total, where=total > 0, out=np.full_like(rest, 1 / rest.shape[1]))
    else:
        others = np.asarray(background, dtype=np.float64)
    found: Floats = np.where(rounds > 0, mean - (mean.sum(axis=1, keepdims=True) - 1) * others, 0.0)
    return found
