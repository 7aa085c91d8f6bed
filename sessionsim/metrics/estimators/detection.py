"""How well a score separates pairs that belong together from pairs that do not (M15, metrics 0.3, 2b).

A rate without the base rate misleads: with one true partner in a million, a false-positive rate of a
thousandth makes nearly every alarm false. So TPR and FPR never go without the positive predictive value at
the true prior. And a curve ends where the negatives end: an FPR below 10/n cannot be drawn from n of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics._estimate import LEVEL, Estimate, too_few
from sessionsim.metrics.estimators._analysis import analysis
from sessionsim.metrics.estimators.proportions import clopper_pearson

Floats = npt.NDArray[np.float64]

# Source: metrics 0.3: no TPR at an FPR below 10/n_neg.
ALARMS_BELOW_LIMIT: Final = 10
_LEAST: Final = 2  # of each class; one alone has no variance


def predictive_value(tpr: float, fpr: float, prior: float) -> float:
    """Probability that an alarm is true, at the probability `prior` that a pair belongs together."""
    hits, alarms = tpr * prior, fpr * (1 - prior)
    return hits / (hits + alarms) if hits + alarms > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """An ROC curve as far as the data carry it.

    Args:
        fpr, tpr, threshold: points of the curve, FPR ascending, none below `limit`.
        limit: the lowest FPR that may be shown, 10 over the number of negatives.
        area: AUC of the whole curve with its interval; `n` counts positives and negatives.
        positives, negatives: how many pairs.
    """

    fpr: Floats
    tpr: Floats
    threshold: Floats
    limit: float
    area: Estimate
    positives: int
    negatives: int


def roc(scores: npt.ArrayLike, belongs: npt.ArrayLike) -> Curve:
    """Draw the curve of a score: higher means more likely to belong together.

    Args:
        scores, belongs: shape (n,); one independent pair per account, or the interval is too narrow.
    """
    with analysis():
        from sklearn.metrics import roc_curve
    label, score = np.asarray(belongs, dtype=bool), np.asarray(scores, dtype=np.float64)
    positives, negatives = int(label.sum()), int((~label).sum())
    if not positives or not negatives:
        missing = _without(positives, negatives)
        return Curve(np.zeros(0), np.zeros(0), np.zeros(0), 1.0, missing, positives, negatives)
    fpr, tpr, threshold = roc_curve(label, score, drop_intermediate=False)
    limit = min(1.0, ALARMS_BELOW_LIMIT / negatives)
    shown = fpr >= limit
    area = area_under_curve(score[label], score[~label])
    return Curve(fpr[shown], tpr[shown], threshold[shown], limit, area, positives, negatives)


def area_under_curve(positive: npt.ArrayLike, negative: npt.ArrayLike) -> Estimate:
    """Estimate the AUC, ties counted half, with DeLong's interval.

    A separation without exception has no variance to estimate: its lower end is then 1 - 0.05^(1/n) away
    from 1, n the smaller class.

    Source: DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988), 837-845.
    """
    a, b = np.asarray(positive, dtype=np.float64), np.asarray(negative, dtype=np.float64)
    n = len(a) + len(b)
    if min(len(a), len(b)) < _LEAST:
        return _without(len(a), len(b))
    over_b = _share_below(b, a)  # of each positive: share of negatives it beats
    over_a = 1 - _share_below(a, b)  # of each negative: share of positives that beat it
    value = float(over_b.mean())
    if value in (0.0, 1.0):
        bound = 1 - (1 - LEVEL) ** (1 / min(len(a), len(b)))
        low, high = (0.0, bound) if value == 0 else (1 - bound, 1.0)
        return Estimate(value, low, high, "95 % bound, no exception", n, "pair")
    error = float(np.sqrt(over_b.var(ddof=1) / len(a) + over_a.var(ddof=1) / len(b)))
    half = float(scipy.stats.norm.ppf(0.5 + LEVEL / 2)) * error
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), "95 % DeLong", n, "pair")


def _without(positives: int, negatives: int) -> Estimate:
    """Say which of the two classes is too small: each must have a variance."""
    fewer, name = min((positives, "true pair"), (negatives, "wrong pair"))
    return too_few("95 % DeLong", fewer, name, _LEAST)


def _share_below(of: Floats, points: Floats) -> Floats:
    """Share of `of` below each point, equal ones counted half."""
    ordered = np.sort(of)
    left, right = np.searchsorted(ordered, points, "left"), np.searchsorted(ordered, points, "right")
    found: Floats = (left + right) / (2 * len(of))
    return found


def threshold_at(negative: npt.ArrayLike, fpr: float) -> float:
    """Choose, on training data, the score that a share of at most `fpr` of the negatives exceeds.

    Raises:
        LocalProtocolError: fewer than 10/fpr negatives, so the threshold would rest on a handful.
    """
    scores = np.sort(np.asarray(negative, dtype=np.float64))
    if len(scores) < ALARMS_BELOW_LIMIT / fpr - 1e-9:
        needed = int(np.ceil(ALARMS_BELOW_LIMIT / fpr - 1e-9))
        raise LocalProtocolError(f"{len(scores)} negatives; a threshold at FPR {fpr} needs {needed}")
    return float(scores[len(scores) - 1 - int(fpr * len(scores) + 1e-9)])


def tpr_at(positive: npt.ArrayLike, negative: npt.ArrayLike, fpr: float) -> Estimate:
    """Estimate the TPR at a false-positive rate, with the Clopper-Pearson interval of the positives.

    Fewer than 10/fpr negatives: no value, and how many would do.

    Args:
        positive, negative: scores of test data. The threshold is the negatives' own quantile, so this is
            for curves; a claim uses `threshold_at` of training data.
    """
    scores, hits = np.asarray(negative), np.asarray(positive)
    needed = int(np.ceil(ALARMS_BELOW_LIMIT / fpr - 1e-9))
    if not len(hits):
        return too_few("95 % Clopper-Pearson", 0, "positive pair", 1)
    if len(scores) < needed:
        return too_few("95 % Clopper-Pearson", len(scores), "negative pair", needed)
    found = int((hits > threshold_at(scores, fpr)).sum())
    low, high = clopper_pearson(found, len(hits))
    return Estimate(found / len(hits), low, high, "95 % Clopper-Pearson", len(hits), "positive pair")
