"""Whether a posterior means what it says, before it may become an entropy (metrics 1.2(6)).

An attack that is too sure of itself fakes a small anonymity set. `check` compares what the posteriors claim
with what came true; `posteriors` passes on only those that hold, so everything from M1 to M8 starts with a
call of it. `recalibrate` learns a correction on training seeds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.errors import SessionSimError
from sessionsim.metrics._estimate import LEVEL, MIN_UNITS
from sessionsim.metrics.estimators._analysis import analysis
from sessionsim.metrics.estimators.entropies import checked

Floats = npt.NDArray[np.float64]
_BINS = 10  # Assumption: the usual number of bins of reliability diagrams


class NotCalibrated(SessionSimError):
    """A posterior claims more, or less, than comes true."""


class Calibration(NamedTuple):
    """Claims against outcomes.

    Args:
        brier: mean squared difference of posterior and outcome, summed over candidates; 0 is perfect.
        expected_error: expected calibration error of the best guess, 0..1.
        claimed: mean of the largest posterior; came_true: share of rows whose best guess was right.
        low, high: 95 % interval of came_true - claimed over accounts.
        holds: whether 0 lies in that interval.
        accounts: units of replication.
        needed: None, or how many accounts would allow a verdict.
    """

    brier: float
    expected_error: float
    claimed: float
    came_true: float
    low: float
    high: float
    holds: bool
    accounts: int
    needed: int | None = None


def check(posterior: npt.ArrayLike, truth: npt.ArrayLike, account: npt.ArrayLike) -> Calibration:
    """Compare what posteriors claim with what came true.

    Args:
        posterior: shape (n, candidates). truth: number of the true candidate, shape (n,), or -1 where it
            is none of them. account: whose secret each row is, shape (n,).
    """
    p, true = checked(posterior), np.asarray(truth)
    rows = np.arange(len(p))
    best = p.argmax(axis=1)
    claimed, right = p[rows, best], (best == true).astype(np.float64)
    outcome = np.zeros_like(p)
    outcome[rows[true >= 0], true[true >= 0]] = 1.0
    brier = float(((p - outcome) ** 2).sum(axis=1).mean())
    bins = np.minimum((claimed * _BINS).astype(int), _BINS - 1)
    gap = np.bincount(bins, weights=right - claimed, minlength=_BINS)
    error = float(np.abs(gap).sum() / len(p))
    _, whose = np.unique(np.asarray(account), return_inverse=True)
    units = int(whose.max()) + 1
    if units < MIN_UNITS:
        return Calibration(brier, error, float(claimed.mean()), float(right.mean()), -1.0, 1.0, False, units,
                           MIN_UNITS)  # fmt: skip
    difference = float((right - claimed).mean())
    residual = np.bincount(whose, weights=right - claimed - difference)
    spread = np.sqrt(units / (units - 1) * (residual**2).sum()) / len(p)
    # Where all rows agree, the variance of the claims themselves still limits what can be told.
    spread = max(spread, float(np.sqrt((claimed * (1 - claimed)).sum()) / len(p)))
    half = float(scipy.stats.t.ppf(0.5 + LEVEL / 2, units - 1) * spread)
    low, high = difference - half, difference + half
    return Calibration(brier, error, float(claimed.mean()), float(right.mean()), low, high,
                       low <= 0 <= high, units)  # fmt: skip


def posteriors(posterior: npt.ArrayLike, truth: npt.ArrayLike, account: npt.ArrayLike) -> Floats:
    """Pass calibrated posteriors through, for entropies and all that follows.

    Raises:
        NotCalibrated: claims and outcomes differ beyond chance, or too few accounts to tell.
    """
    found = check(posterior, truth, account)
    if found.needed is not None:
        raise NotCalibrated(f"not enough data: {found.accounts} accounts, {found.needed} would allow a check")
    if not found.holds:
        raise NotCalibrated(
            f"the best guess claims {found.claimed:.4f} and comes true in {found.came_true:.4f}; the "
            f"difference has the interval [{found.low:.4f}, {found.high:.4f}]"
        )
    return checked(posterior)


def recalibrate(train: npt.ArrayLike, truth: npt.ArrayLike, posterior: npt.ArrayLike) -> Floats:
    """Correct posteriors by an isotonic curve learned on training seeds, and normalise each row again.

    Args:
        train, truth: posteriors and true candidates of training seeds, as in `check`.
        posterior: those to be corrected, shape (m, candidates).
    """
    with analysis():
        from sklearn.isotonic import IsotonicRegression
    p, true = checked(train), np.asarray(truth)
    outcome = (np.arange(p.shape[1]) == true[:, None]).astype(np.float64)
    curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(p.ravel(), outcome.ravel())
    wanted = checked(posterior)
    mapped = np.asarray(curve.predict(wanted.ravel()), dtype=np.float64).reshape(wanted.shape)
    total = mapped.sum(axis=1, keepdims=True)
    found: Floats = np.where(total > 0, mapped / np.where(total > 0, total, 1), 1 / wanted.shape[1])
    return found
