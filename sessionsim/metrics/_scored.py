"""What metrics of verdicts share: sums by label and role, and readings that stand between floor and ceiling.

A key of `Counts` is `label|role|what`. The label names attack and world (`_judged.label_of`). A reading is
always of the attack itself; the blind guess over the same questions is its baseline, the oracle's value is
in its counts under `ceiling`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, FloatArray
from sessionsim.metrics._estimate import MIN_UNITS, Estimate
from sessionsim.metrics._intervals import Units, reading, units_of
from sessionsim.metrics._judged import BLIND, ORACLE, SCORED, Judged

BLIND_NAME = "a blind guess over the same questions"


class Name(NamedTuple):
    """A key of counts in parts."""

    label: str
    role: str
    what: str

    def __str__(self) -> str:
        return f"{self.label}|{self.role}|{self.what}"


def key(judged: Judged, what: str) -> str:
    """Name what is counted of one judged verdict."""
    return str(Name(judged.label, judged.role, what))


def per_account(owner: np.ndarray, amount: np.ndarray, n_accounts: int) -> FloatArray:
    """Add an amount to each subject's account, shape (n_accounts,)."""
    return np.bincount(owner.astype(np.int64), amount.astype(np.float64), n_accounts).astype(np.float64)


def labels(counts: Iterable[Counts], what: str) -> list[str]:
    """List the labels that something was counted for, by order of first appearance."""
    found: dict[str, None] = {}
    for one in counts:
        for name in (*one.sums, *one.samples):
            label, _, rest = name.partition("|")
            if rest == f"{SCORED}|{what}":
                found.setdefault(label)
    return list(found)


def units(
    counts: Sequence[Counts], label: str, role: str, hits: str, trials: str, trial: str = "question"
) -> Units:
    """Collect hits and trials per account over the seeds that have them. Args: trial: what one is called."""
    over, under = str(Name(label, role, hits)), str(Name(label, role, trials))
    return units_of([(c.sums[over], c.sums[under]) for c in counts if over in c.sums], trial=trial)


def samples(counts: Sequence[Counts], label: str, role: str, what: str) -> list[FloatArray]:
    """Collect one sample per seed that has it."""
    name = str(Name(label, role, what))
    return [c.samples[name] for c in counts if name in c.samples]


def cut_to(estimate: Estimate, least: float, most: float) -> Estimate:
    """Keep the ends of an interval where the value itself must lie."""
    if estimate.low is None or estimate.high is None:
        return estimate
    return replace(estimate, low=max(least, estimate.low), high=min(most, estimate.high))


def cut_to_prob(estimate: Estimate) -> Estimate:
    """Keep the ends of an interval within 0..1."""
    return cut_to(estimate, 0.0, 1.0)


def pooled(counts: Sequence[Counts], label: str, what: str, owner: str) -> tuple[FloatArray, FloatArray, str]:
    """Pool the attack's own samples of all seeds: values, number of the unit of each, and which unit."""
    values, owners = (samples(counts, label, SCORED, name) for name in (what, owner))
    if not values:
        return np.zeros(0), np.zeros(0), "account"
    seed = np.repeat(np.arange(len(values)), [len(part) for part in values]).astype(np.float64)
    if len(values) >= MIN_UNITS:
        return np.concatenate(values), seed, "seed"
    account = np.concatenate(owners)
    return np.concatenate(values), account + seed * (1 + account.max(initial=0)), "account"


def between(
    metric: str,
    counts: Sequence[Counts],
    label: str,
    name: str,
    unit: str,
    estimate: Callable[[str], Estimate],
    numbers: dict[str, float] | None = None,
    base: float | None = None,
) -> Reading:
    """Make a reading between floor and ceiling.

    Args:
        estimate: gives the estimate of one role.
        numbers: further counts.
        base: what a blind guess scores on average, where that is known; else what one scored.
    """
    own, blind, oracle = (estimate(role) for role in (SCORED, BLIND, ORACLE))
    own = cut_to_prob(own) if unit == "prob" else own
    extra = dict(numbers or {})
    if oracle.value is not None:
        extra["ceiling"] = oracle.value
    if blind.low is not None and blind.high is not None:
        extra |= {"blind low": blind.low, "blind high": blind.high}
    return reading(
        metric,
        f"{label}: {name}",
        unit,
        own,
        counts=extra,
        baseline=base if base is not None else blind.value,
        baseline_name=BLIND_NAME if base is not None or blind.value is not None else "",
    )
