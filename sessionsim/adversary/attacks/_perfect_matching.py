"""Perfect matching: the one assignment of a whole set that is likeliest (metrics 2b(v), 2c).

Deciding each output alone may give two of them the same sender. The likeliest matching decides all at once;
it takes time of the cube of the number of flows, so it is for a round or a window, not for a day.

Source: Troncoso et al., PETS 2008; Kuhn's assignment by scipy (Crouse, IEEE TAES 52, 2016).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

Ints = npt.NDArray[np.int64]

# Assumption: the log-likelihood of what cannot be; far below any that can.
_IMPOSSIBLE = -1e6


def perfect_matching(log_likelihood: npt.ArrayLike) -> Ints:
    """Match each row to one column, no column twice, so that the sum is largest.

    Args:
        log_likelihood: shape (rows, columns), rows at most columns; -inf for what cannot be.

    Returns:
        Column of each row, shape (rows,).
    """
    score = np.asarray(log_likelihood, dtype=np.float64)
    _, columns = scipy.optimize.linear_sum_assignment(np.maximum(score, _IMPOSSIBLE), maximize=True)
    found: Ints = np.asarray(columns, dtype=np.int64)
    return found
