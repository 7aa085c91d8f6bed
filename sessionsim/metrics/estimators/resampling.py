"""The cluster bootstrap: whole accounts are drawn again, never single messages (metrics 0.3).

For statistics without a formula for their variance, inside one run. The interval is bias-corrected and
accelerated (BCa); its acceleration comes from leaving out one account at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.metrics._estimate import LEVEL, Estimate, too_few

Floats = npt.NDArray[np.float64]
Statistic = Callable[[npt.NDArray[np.intp]], float]

RESAMPLES: Final = 2000  # Source: metrics 0.3: 2,000 or more
# Assumption: below this many accounts the resampled values are too few for the tails of an interval.
MIN_CLUSTERS: Final = 10


def cluster_bootstrap(
    clusters: npt.ArrayLike, statistic: Statistic, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Estimate:
    """Estimate a statistic of rows with its BCa interval over the accounts they belong to.

    Args:
        clusters: whose each row is, shape (n_rows,).
        statistic: takes row numbers, an account's rows as often as it was drawn, and gives one number.
        resamples: how many.
    """
    _, whose = np.unique(np.asarray(clusters), return_inverse=True)
    n = int(whose.max()) + 1 if len(whose) else 0
    label = f"95 % BCa over accounts, {resamples} resamples"
    if n < MIN_CLUSTERS:
        return too_few(label, n, "account", MIN_CLUSTERS)
    rows = np.split(np.argsort(whose, kind="stable"), np.cumsum(np.bincount(whose))[:-1])
    value = statistic(np.arange(len(whose)))
    drawn = np.array(
        [statistic(np.concatenate([rows[k] for k in rng.integers(n, size=n)])) for _ in range(resamples)]
    )
    left_out = np.array([statistic(np.concatenate(rows[:k] + rows[k + 1 :])) for k in range(n)])
    low, high = bca(value, drawn, left_out)
    return Estimate(value, min(low, value), max(high, value), label, n, "account")


def bca(value: float, drawn: Floats, left_out: Floats) -> tuple[float, float]:
    """Give the BCa interval from resampled and leave-one-out values.

    Source: Efron, Tibshirani, An Introduction to the Bootstrap, 1993, section 14.3.
    """
    if np.ptp(drawn) == 0:
        return float(drawn[0]), float(drawn[0])
    normal = scipy.stats.norm
    # Equal values count half, or discrete statistics would look biased.
    below = ((drawn < value).mean() + (drawn <= value).mean()) / 2
    shift = normal.ppf(np.clip(below, 1 / (2 * len(drawn)), 1 - 1 / (2 * len(drawn))))
    deviation = left_out.mean() - left_out
    scale = 6 * (deviation**2).sum() ** 1.5
    bend = float((deviation**3).sum() / scale) if scale > 0 else 0.0
    z = shift + normal.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = np.quantile(drawn, normal.cdf(shift + z / (1 - bend * z)))
    return float(low), float(high)
