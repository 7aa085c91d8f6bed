"""Readings of a sample of times: mean and quantiles, with intervals over seeds or accounts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts
from sessionsim.metrics._intervals import MIN_UNITS, mean, quantile, reading, units_of


def readings_of_times(
    metric: str,
    name: str,
    counts: Sequence[Counts],
    owners: str,
    quantiles: Sequence[tuple[str, float]],
    min_beyond: int,
) -> list[Reading]:
    """Give the mean of a sample and some of its quantiles.

    Args:
        metric: id of the metric.
        name: of the sample, and of the readings.
        counts: of each seed; the sum `accounts` says how many there are, sample `owners` whose each time is.
        quantiles: names and probabilities, ascending.
        min_beyond: values that must be expected beyond a quantile before it is given.
    """
    values = [c.samples[name] for c in counts]
    whose = [c.samples[owners].astype(np.int64) for c in counts]
    sizes = [int(c.total("accounts")) for c in counts]
    per_seed = [
        (np.bincount(s, v, n).astype(np.float64), np.bincount(s, minlength=n).astype(np.float64))
        for v, s, n in zip(values, whose, sizes, strict=True)
    ]
    units = units_of(per_seed)
    numbers = {"messages": float(sum(map(len, values))), "seeds": float(len(counts))}
    found = [reading(metric, f"{name}, mean", "us", mean(units), counts=numbers)]
    pooled = np.concatenate(values) if values else np.zeros(0)
    seed_of = np.repeat(np.arange(len(values)), [len(v) for v in values])
    # The number of an account is unique over seeds: seed number times the largest world, plus account.
    account_of = np.concatenate(whose) + seed_of * max(sizes, default=0) if whose else seed_of
    unit_of = seed_of if len(counts) >= MIN_UNITS else account_of
    estimates = [
        quantile(pooled, unit_of.astype(np.float64), units.unit, prob, min_beyond) for _, prob in quantiles
    ]
    known = [estimate.value for estimate in estimates if estimate.value is not None]
    assert all(low <= high for low, high in pairwise(known)), "quantiles of one sample are ordered"
    return found + [
        reading(metric, f"{name}, {label}", "us", estimate, counts=numbers)
        for (label, _), estimate in zip(quantiles, estimates, strict=True)
    ]
