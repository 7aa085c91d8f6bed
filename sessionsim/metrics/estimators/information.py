"""M8: mutual information from samples, with what chance alone would give taken off (metrics 1.2(2)).

The plug-in is biased high, so that even two unrelated columns seem to share something: a reading gives the
plug-in, the mean over permuted labels, the difference, and the p-value. For continuous observations there
is the nearest-neighbour estimator.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.estimators.entropy_of_counts import plug_in

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Information(NamedTuple):
    """Mutual information of one sample, bits.

    Args:
        plug_in_bits: as counted.
        null_bits: mean over permutations, what independent labels would show.
        bits: the difference, not below 0.
        p_value: share of permutations that show at least as much, the sample itself counted.
        n: pairs.
    """

    plug_in_bits: float
    null_bits: float
    bits: float
    p_value: float
    n: int


def table_of(x: npt.ArrayLike, y: npt.ArrayLike) -> Ints:
    """Count pairs: shape (values of x, values of y), values that occur, ascending."""
    _, rows = np.unique(np.asarray(x), return_inverse=True)
    _, columns = np.unique(np.asarray(y), return_inverse=True)
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    found: Ints = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)
    return found


def plug_in_information(table: npt.ArrayLike) -> float:
    """Mutual information of a table of counts, bits, as counted."""
    counts = np.asarray(table)
    return plug_in(counts.sum(axis=1)) + plug_in(counts.sum(axis=0)) - plug_in(counts)


def null_bias_bits(rows: int, columns: int, n: int) -> float:
    """First-order bias under independence: (|X|-1)(|Y|-1)/(2n ln 2) bits. Source: metrics 1.2(2)."""
    return (rows - 1) * (columns - 1) / (2 * n * math.log(2))


def independence_p_value(table: npt.ArrayLike) -> float:
    """Probability of so much information by chance: 2n ln2 I is chi-square with (|X|-1)(|Y|-1) degrees."""
    counts = np.asarray(table)
    rows, columns = int((counts.sum(axis=1) > 0).sum()), int((counts.sum(axis=0) > 0).sum())
    if rows < 2 or columns < 2:
        return 1.0
    statistic = 2 * int(counts.sum()) * math.log(2) * plug_in_information(counts)
    return float(scipy.stats.chi2((rows - 1) * (columns - 1)).sf(statistic))


def information(
    x: npt.ArrayLike, y: npt.ArrayLike, rng: np.random.Generator, permutations: int = 1000
) -> Information:
    """Estimate the mutual information of two discrete columns.

    Args:
        x, y: shape (n,). Their pairs must be exchangeable: one pair per account or seed, not per message.
        permutations: how often the labels are shuffled; 1,000 by metrics 1.2(2).
    """
    _, rows = np.unique(np.asarray(x), return_inverse=True)
    _, columns = np.unique(np.asarray(y), return_inverse=True)
    found = plug_in_information(table_of(rows, columns))
    null = [plug_in_information(table_of(rows, rng.permutation(columns))) for _ in range(permutations)]
    mean = float(np.mean(null))
    beaten = sum(value >= found - 1e-12 for value in null)
    p_value = (1 + beaten) / (1 + permutations)
    return Information(found, mean, max(0.0, found - mean), p_value, len(rows))


def nearest_neighbour_information(x: npt.ArrayLike, y: npt.ArrayLike, k: int = 5) -> float:
    """Mutual information of two continuous columns, bits (first algorithm of the source).

    Args:
        x, y: shape (n,), n above k, without ties; add a little noise to rounded values.
        k: neighbours, 3 to 10; few give less bias, many less variance.

    Source: Kraskov, Stögbauer, Grassberger, Phys. Rev. E 69, 066138 (2004), eq. 8.
    """
    a, b = (np.asarray(column, dtype=np.float64) for column in (x, y))
    if len(a) <= k or np.ptp(a) == 0 or np.ptp(b) == 0:
        raise LocalProtocolError(f"{len(a)} pairs for {k} neighbours, or a column of one value")
    # One unit of length for both: the neighbourhood is a square.
    a, b = a / a.std(), b / b.std()
    joint = np.column_stack([a, b])
    distances, _ = scipy.spatial.cKDTree(joint).query(joint, k=k + 1, p=np.inf)
    reach = np.asarray(distances, dtype=np.float64)[:, -1]
    psi = scipy.special.digamma
    total = psi(k) + psi(len(a))
    for column in (a, b):
        ordered = np.sort(column)
        # Strictly nearer than the k-th joint neighbour; the point itself is not counted.
        within = (
            np.searchsorted(ordered, column + reach, "left")
            - np.searchsorted(ordered, column - reach, "right")
            - 1
        )
        total -= float(psi(np.maximum(within, 0) + 1).mean())
    return float(total / math.log(2))
