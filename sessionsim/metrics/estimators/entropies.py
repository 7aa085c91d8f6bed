"""What a known distribution says: entropies, effective sizes and guesses (metrics section 1, M1-M7).

A distribution is an array that sums to one along its last axis; further axes in front are several
distributions, and every function gives one number for each. Logs are base 2. A posterior must have passed
`calibration.check` before it comes here: overconfidence looks like a small anonymity set.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import LocalProtocolError

Floats = npt.NDArray[np.float64]

# Assumption: what double precision leaves of a sum over a million terms.
_SUM_TOLERANCE = 1e-9


def checked(p: npt.ArrayLike) -> Floats:
    """Pass probabilities through.

    Raises:
        LocalProtocolError: one is negative or not a number, or they do not sum to one.
    """
    array = np.asarray(p, dtype=np.float64)
    if array.size == 0 or not np.all(array >= 0) or np.abs(array.sum(axis=-1) - 1).max() > _SUM_TOLERANCE:
        raise LocalProtocolError("not a distribution: probabilities below 0, or their sum is not 1")
    return array


def shannon(p: npt.ArrayLike) -> Floats:
    """M1: entropy in bits. Source: Serjantov, Danezis, PET 2002."""
    array = checked(p)
    logs = np.log2(array, where=array > 0, out=np.zeros_like(array))
    found: Floats = -(array * logs).sum(axis=-1) + 0.0
    return found


def effective_size(p: npt.ArrayLike) -> Floats:
    """M2: how many equally likely candidates have the same entropy. Source: as `shannon`."""
    found: Floats = np.exp2(shannon(p))
    return found


def degree(p: npt.ArrayLike, candidates: int) -> Floats:
    """M3: entropy over its maximum, 0..1. Args: candidates: 2 or more. Source: Diaz et al., PET 2002."""
    found: Floats = shannon(p) / np.log2(candidates)
    return found


def min_entropy(p: npt.ArrayLike) -> Floats:
    """M4: minus the log of the best single guess, bits. Source: Smith, FoSSaCS 2009."""
    found: Floats = -np.log2(checked(p).max(axis=-1)) + 0.0
    return found


def renyi(p: npt.ArrayLike, order: float) -> Floats:
    """M5: Rényi entropy in bits; order 1 is Shannon's, 2 the collision entropy, infinity the min-entropy.

    Source: Clauss, Schiffner, 2006.
    """
    if order == 1:
        return shannon(p)
    if np.isinf(order):
        return min_entropy(p)
    array = checked(p)
    powers = np.power(array, order, where=array > 0, out=np.zeros_like(array))
    found: Floats = np.log2(powers.sum(axis=-1)) / (1 - order) + 0.0
    return found


def guesses(p: npt.ArrayLike) -> Floats:
    """M6: mean number of guesses in order of probability. Source: Massey, ISIT 1994."""
    falling = -np.sort(-checked(p), axis=-1)
    found: Floats = (falling * np.arange(1, falling.shape[-1] + 1)).sum(axis=-1)
    return found


def rank_of_truth(scores: npt.ArrayLike, truth: npt.ArrayLike) -> Floats:
    """M7: rank of the true candidate, 1 the best; equal scores share the mean of their ranks.

    Sharing keeps a tie from being a success: an attack that says nothing ranks the truth at (N + 1) / 2.

    Args:
        scores: shape (n, candidates). truth: number of the true candidate, shape (n,).
    """
    array = np.asarray(scores, dtype=np.float64)
    own = np.take_along_axis(array, np.asarray(truth)[:, None], axis=1)
    found: Floats = 1 + (array > own).sum(axis=1) + ((array == own).sum(axis=1) - 1) / 2
    return found


def top_success(scores: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> Floats:
    """M7: probability, per row, that the truth is among the k best when ties are broken at random.

    Args:
        scores: shape (n, candidates). truth: shape (n,). k: 1 or more.
    """
    array = np.asarray(scores, dtype=np.float64)
    own = np.take_along_axis(array, np.asarray(truth)[:, None], axis=1)
    above, equal = (array > own).sum(axis=1), (array == own).sum(axis=1)
    found: Floats = np.clip((k - above) / equal, 0.0, 1.0)
    return found
