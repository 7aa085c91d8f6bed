"""A lower bound of eps from a game played many times (metrics 1.2(5)).

The test is any; its threshold was fixed on other data. A bound that holds with 95 % confidence needs the
exact upper limits of both error rates. The mean log ratio of two posteriors is not eps and is not given.
"""

from __future__ import annotations

import math

from sessionsim.metrics._estimate import LEVEL
from sessionsim.metrics.estimators.proportions import clopper_pearson


def epsilon_bound(
    false_alarms: int, negatives: int, misses: int, positives: int, delta: float = 0.0, level: float = LEVEL
) -> float:
    """Give an eps, in nats, that the mechanism exceeds with confidence; 0 if the data show nothing.

    eps >= max(ln((1 - delta - FPR)/FNR), ln((1 - delta - FNR)/FPR), 0), with upper limits for both rates.

    Args:
        false_alarms, negatives: in the world without the challenge.
        misses, positives: in the world with it.
        delta: probability that the bound may fail in, 0..1.
        level: coverage of the two-sided Clopper-Pearson intervals.
    """
    fpr = clopper_pearson(false_alarms, negatives, level)[1]
    fnr = clopper_pearson(misses, positives, level)[1]
    found = 0.0
    for left, below in ((1 - delta - fpr, fnr), (1 - delta - fnr, fpr)):
        if left > below:
            found = max(found, math.log(left / below))
    return found
