"""Estimates with intervals over units of replication.

The unit is the seed; with fewer than three seeds it is the account; it is never the message, because the
messages of one account share paths, nodes and habits (metrics 0.3). All estimators below take one number
of hits and one of trials per unit, so every mean is a ratio of sums, and its variance is that of the
ratio's residuals between units (linearisation; Cochran, Sampling Techniques, 1977, 6.4). Quantiles get
Woodruff's interval: the share of values below the quantile is such a ratio, its interval is carried back
through the distribution (Woodruff, JASA 47, 1952). Nothing is resampled, so the same counts always give
the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import FloatArray
from sessionsim.metrics._estimate import LEVEL, MIN_UNITS, Estimate, too_few
from sessionsim.metrics.estimators.proportions import clopper_pearson, wilson, zero_event_bound

__all__ = [
    "LEVEL", "MIN_UNITS", "Estimate", "Units", "clopper_pearson", "mean", "quantile", "rate_difference",
    "reading", "share", "signed_mean", "units_of", "wilson", "zero_event_bound",
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Hits and trials per unit of replication, shape (n_units,), units without trials left out.

    Args:
        hits, trials: sums per unit; for a mean, `hits` is the sum of values and `trials` their number.
        unit: `seed` or `account`.
        accounts: how many accounts had a trial, over all seeds.
        idle: units that were left out.
        trial: what one is called; who has too few units hears that those left out had none. Empty where
            those were never in question.
    """

    hits: FloatArray
    trials: FloatArray
    unit: str
    accounts: int
    idle: int = 0
    trial: str = ""

    def too_few(self, label: str) -> Estimate:
        """Say that more units with a trial would be needed."""
        unit = self.unit
        if self.trial and self.idle:
            unit += f" with {'an' if self.trial[0] in 'aeiou' else 'a'} {self.trial}"
        return too_few(label, len(self.trials), unit, MIN_UNITS)


def units_of(
    per_seed: Sequence[tuple[FloatArray, FloatArray]], within: str = "account", trial: str = ""
) -> Units:
    """Choose the unit of replication: seeds if there are enough of them, else accounts.

    Args:
        per_seed: for each seed, hits and trials per account, shape (n_accounts,) each.
        within: what the arrays are indexed by, where that is not accounts.
        trial: what one trial is called, where every unit could have had some.
    """
    accounts = int(sum((trials > 0).sum() for _, trials in per_seed))
    if len(per_seed) >= MIN_UNITS:
        hits = np.array([hits.sum() for hits, _ in per_seed], dtype=np.float64)
        trials = np.array([trials.sum() for _, trials in per_seed], dtype=np.float64)
        unit = "seed"
    else:
        hits = np.concatenate([hits for hits, _ in per_seed]) if per_seed else np.zeros(0)
        trials = np.concatenate([trials for _, trials in per_seed]) if per_seed else np.zeros(0)
        unit = within
    kept = trials > 0
    return Units(hits[kept], trials[kept], unit, accounts, int((~kept).sum()), trial)


def mean(units: Units) -> Estimate:
    """Estimate hits per trial, neither ever negative, with a t interval between units.

    Fewer than three units: no value.
    """
    n, label = len(units.trials), f"95 % t over {units.unit}s"
    if n < MIN_UNITS:
        return units.too_few(label)
    value = float(units.hits.sum() / units.trials.sum())
    half = _t(n) * _standard_error(units, value)
    if value >= 0 > value - half:
        return Estimate(value, 0.0, value + half, f"{label}, cut at 0", n, units.unit)
    return Estimate(value, value - half, value + half, label, n, units.unit)


def signed_mean(units: Units, least: float = 0.0) -> Estimate:
    """`mean` of what may be negative, such as a difference.

    Args:
        least: a standard error that is known to be there, for units that hardly ever differ.
    """
    n, label = len(units.trials), f"95 % t over {units.unit}s"
    if n < MIN_UNITS:
        return units.too_few(label)
    value = float(units.hits.sum() / units.trials.sum())
    half = _t(n) * max(least, _standard_error(units, value))
    return Estimate(value, value - half, value + half, label, n, units.unit)


def rate_difference(one: Units, other: Units) -> Estimate:
    """Estimate one rate less another, of the same units, such as TPR less FPR; with a t interval.

    Args:
        one, other: hits and trials of the same seeds or accounts in the same order; none may be left out, so
            a unit without trials stands with 0 of 0.

    Source: linearisation of a difference of ratios; Cochran, Sampling Techniques, 1977, 6.4.
    """
    n, label = len(one.trials), f"95 % t over {one.unit}s"
    if n < MIN_UNITS:
        return too_few(label, n, one.unit, MIN_UNITS)
    without = next((side for side in (one, other) if not side.trials.sum()), None)
    if without is not None:
        return too_few(label, 0, without.trial or "case", MIN_UNITS)
    rates = [float(side.hits.sum() / side.trials.sum()) for side in (one, other)]
    value = rates[0] - rates[1]
    residual = sum(
        sign * (side.hits - rate * side.trials) / side.trials.sum()
        for sign, side, rate in zip((1.0, -1.0), (one, other), rates, strict=True)
    )
    half = _t(n) * float(np.sqrt(n / (n - 1) * (residual**2).sum()))
    return Estimate(value, value - half, value + half, label, n, one.unit)


def share(units: Units, bound_over: str = "account") -> Estimate:
    """Estimate a proportion of trials.

    One trial per unit: Wilson. Several: t between units, cut to 0..1. No event at all, or nothing but
    events: the exact one-sided bound 1 - 0.05^(1/n) (metrics 0.3).

    Args:
        units: hits at most trials, in each unit.
        bound_over: what counts as independent for that bound, `account` or `unit`.
    """
    n = len(units.trials)
    if n == 0 or (n < MIN_UNITS and bound_over == "unit"):
        return units.too_few(f"95 % t over {units.unit}s")
    hits, trials = float(units.hits.sum()), float(units.trials.sum())
    value = hits / trials
    if units.unit == "account" and bool(np.all(units.trials == 1)):
        low, high = wilson(hits, int(trials))
        return Estimate(value, low, high, "95 % Wilson over accounts", n, "account")
    if hits in (0.0, trials):
        n_bound, unit = (units.accounts, "account") if bound_over == "account" else (n, units.unit)
        bound = zero_event_bound(n_bound)
        label = f"95 % bound, {'no case' if hits == 0 else 'no exception'} in {n_bound} {unit}s"
        low, high = (0.0, bound) if hits == 0 else (1 - bound, 1.0)
        return Estimate(value, low, high, label, n_bound, unit)
    if n < MIN_UNITS:
        return units.too_few(f"95 % t over {units.unit}s")
    half = _t(n) * _standard_error(units, value)
    return Estimate(
        value,
        max(0.0, value - half),
        min(1.0, value + half),
        f"95 % t over {units.unit}s, cut to 0..1",
        n,
        units.unit,
    )


def quantile(
    values: FloatArray, unit_of_value: FloatArray, unit: str, prob: float, min_beyond: int,
    of: str = "message",
) -> Estimate:  # fmt: skip
    """Estimate a quantile of pooled values with Woodruff's interval between units.

    Args:
        values: shape (n_values,).
        unit_of_value: number of the seed or account of each value, shape (n_values,).
        unit: `seed` or `account`.
        prob: which quantile, 0..1.
        min_beyond: how many values must be expected on the rarer side for a value to be given.
        of: what each value is of.
    """
    label = f"95 % Woodruff over {unit}s"
    wanted = int(np.ceil(min_beyond / min(prob, 1 - prob) - 1e-9))
    if len(values) < wanted:
        return too_few(label, len(values), of, wanted)
    _, numbers = np.unique(unit_of_value, return_inverse=True)
    n = int(numbers.max()) + 1
    if n < MIN_UNITS:
        return too_few(label, n, unit, MIN_UNITS)
    value = float(np.quantile(values, prob))
    below = np.bincount(numbers, weights=values <= value, minlength=n).astype(np.float64)
    trials = np.bincount(numbers, minlength=n).astype(np.float64)
    units = Units(below, trials, unit, n)
    half = _t(n) * _standard_error(units, prob)
    low, high = np.quantile(values, [max(0.0, prob - half), min(1.0, prob + half)])
    return Estimate(value, min(float(low), value), max(float(high), value), label, n, unit)


def _t(n_units: int) -> float:
    return float(scipy.stats.t.ppf(0.5 + LEVEL / 2, n_units - 1))


def _standard_error(units: Units, value: float) -> float:
    """Standard error of a ratio of sums, from its residuals per unit."""
    n = len(units.trials)
    residual = units.hits - value * units.trials
    return float(np.sqrt(n / (n - 1) * (residual**2).sum()) / units.trials.sum())


def reading(
    metric: str,
    name: str,
    unit: str,
    estimate: Estimate,
    *,
    counts: dict[str, float],
    baseline: float | None = None,
    baseline_name: str = "",
) -> Reading:
    """Write an estimate down as a reading."""
    return Reading(
        metric,
        name,
        unit,
        estimate.value,
        estimate.low,
        estimate.high,
        estimate.interval,
        estimate.n,
        estimate.n_unit,
        baseline,
        baseline_name,
        estimate.needed,
        counts,
    )
