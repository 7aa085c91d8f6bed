"""M16: how far off the numbers are that an attack guesses.

Mean, 5th and 95th percentile of the distance to the truth, in the question's unit: the mean hides those who
are told most exactly. Hours of a clock are taken around the circle. The blind guess takes another subject's
truth.

Source: metrics section 1 (M16); Shokri et al., S&P 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, FloatArray, floats
from sessionsim.metrics._estimate import Estimate
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import mean, quantile, reading
from sessionsim.metrics._judged import HowMuch, judge
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._scored import between, key, labels, per_account, pooled, units

_DAY_H: Final = 24.0
_ID: Final = "estimation-error"
_MIN_BEYOND: Final = 10  # Source: metrics 0.3, as in `latency`


@METRICS.register(config=NoSettings, source="metrics section 1, M16")
class EstimationError:
    """Distance between guessed and true numbers, mean and both tails."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Add up distances per account."""
        found = Counts()
        for one in judge(replicate):
            if not isinstance(one.outcome, HowMuch) or not len(one.outcome.guess):
                continue
            unit = one.question.facts.unit
            off, owner, n = distance(one.outcome, unit), one.outcome.owner, replicate.n_accounts
            found = found + Counts(
                {
                    key(one, f"off {unit}"): per_account(owner, off, n),
                    key(one, f"asked {unit}"): per_account(owner, np.ones(len(off)), n),
                },
                {key(one, f"each {unit}"): off, key(one, f"each of {unit}"): floats(owner)},
            )
        return found

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give mean, 5th and 95th percentile."""
        found: list[Reading] = []
        for unit in ("us", "h"):
            for label in labels(counts, f"off {unit}"):
                average = partial(_average, counts, label, unit)
                found.append(between(_ID, counts, label, "mean error", unit, average))
                values, number, over = pooled(counts, label, f"each {unit}", f"each of {unit}")
                few = {"subjects": float(len(values))}
                for percent in (5, 95):
                    tail = quantile(values, number, over, percent / 100, _MIN_BEYOND, "question")
                    found.append(reading(_ID, f"{label}: error, p{percent}", unit, tail, counts=few))
        return found


def _average(counts: Sequence[Counts], label: str, unit: str, role: str) -> Estimate:
    return mean(units(counts, label, role, f"off {unit}", f"asked {unit}"))


def distance(outcome: HowMuch, unit: str) -> FloatArray:
    """Give the distance of each guess from its truth; hours go around the clock."""
    off = np.abs(outcome.guess - outcome.truth)
    return floats(np.minimum(off % _DAY_H, _DAY_H - off % _DAY_H)) if unit == "h" else floats(off)
