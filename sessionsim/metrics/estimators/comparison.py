"""Is it better with than without? Paired differences over common seeds, and families of tests (metrics 0.3).

Common random numbers: both sides run the same seeds with the same workload, so the difference per seed has
little of the noise that each side has. The unit is the seed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics._estimate import LEVEL, MIN_UNITS, Estimate, too_few


class Difference(NamedTuple):
    """A paired difference.

    Args:
        estimate: mean of with - without, t interval over seeds.
        p_value: two-sided t test of no difference; None without a value.
        gain: variance of the unpaired difference over that of the paired one; above 1 the pairing helped,
            None without a value, infinite if the paired difference never varies.
    """

    estimate: Estimate
    p_value: float | None
    gain: float | None


def over_seeds(values: npt.ArrayLike, unit: str = "seed") -> Estimate:
    """Estimate a mean of one value per seed, with the t interval; too few seeds give no value."""
    array = np.asarray(values, dtype=np.float64)
    label, n = f"95 % t over {unit}s", len(array)
    if n < MIN_UNITS:
        return too_few(label, n, unit, MIN_UNITS)
    half = float(scipy.stats.t.ppf(0.5 + LEVEL / 2, n - 1) * array.std(ddof=1) / np.sqrt(n))
    value = float(array.mean())
    return Estimate(value, value - half, value + half, label, n, unit)


def paired_difference(changed: npt.ArrayLike, plain: npt.ArrayLike) -> Difference:
    """Compare two sides that ran the same seeds.

    Args:
        changed, plain: one value per seed, same seeds in the same order, shape (n_seeds,).

    Raises:
        LocalProtocolError: unequal lengths.
    """
    a, b = np.asarray(changed, dtype=np.float64), np.asarray(plain, dtype=np.float64)
    if a.shape != b.shape:
        raise LocalProtocolError(f"{a.shape} and {b.shape}: a paired comparison needs the same seeds")
    difference = a - b
    estimate = over_seeds(difference)
    if not estimate.enough:
        return Difference(estimate, None, None)
    paired, apart = float(difference.var(ddof=1)), float(a.var(ddof=1) + b.var(ddof=1))
    gain = apart / paired if paired > 0 else float("inf")
    if paired == 0:
        return Difference(estimate, 1.0 if estimate.value == 0 else 0.0, gain)
    return Difference(estimate, float(scipy.stats.ttest_1samp(difference, 0.0).pvalue), gain)


def seeds_needed(differences: npt.ArrayLike, half_width: float) -> int:
    """Give about how many seeds would make the interval of a paired difference this narrow on each side."""
    spread = float(np.asarray(differences, dtype=np.float64).std(ddof=1))
    n = MIN_UNITS
    while float(scipy.stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * spread / np.sqrt(n) > half_width:
        n += max(1, n // 8)
    return n


def holm(p_values: npt.ArrayLike, level: float = 1 - LEVEL) -> tuple[npt.NDArray[np.bool_], np.ndarray]:
    """Correct a family of tests so that the chance of any false rejection stays at `level`.

    Returns:
        Which hypotheses are rejected, and the corrected p-values, both in the order given.

    Written here because the one in statsmodels collects garbage of the whole process on each call, which
    takes seconds beside a large run; a test holds both equal.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
    """
    array = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(array, kind="stable")
    stepped = np.maximum.accumulate(array[order] * np.arange(len(array), 0, -1))
    corrected = np.empty_like(array)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected <= level, corrected


def false_discovery(p_values: npt.ArrayLike, level: float = 0.05) -> npt.NDArray[np.bool_]:
    """Tell which findings stand when the share of false ones among them may be `level` on average.

    For contact graphs by co-occurrence, with one test per pair (metrics 2d).

    Source: Benjamini, Hochberg, JRSS B 57 (1995), 289-300.
    """
    array = np.asarray(p_values, dtype=np.float64)
    if not len(array):
        return np.zeros(0, dtype=bool)
    return np.asarray(scipy.stats.false_discovery_control(array, method="bh") <= level, dtype=bool)
