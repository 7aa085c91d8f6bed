"""M1 to M6: how large the crowd is that a posterior leaves, mean and lower tail.

A posterior counts only if it means what it says (metrics 1.2(6)): the mean of its largest probability must
agree with how often its best guess comes true, within the interval. `posterior calibrated` says whether it
does; where it does not, no entropy is given, because an attack that is too sure of itself fakes a small
crowd. What a verdict does not list is spread evenly over the candidates it does not name. A mean hides
victims, so beside each stands what one subject in twenty falls below.

Source: metrics section 1 (M1 to M6), 1.2(6), 1.2(7).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._estimate import Estimate
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import mean, quantile, reading, signed_mean
from sessionsim.metrics._judged import SCORED, Judged, Which, judge
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._scored import between, key, labels, per_account, pooled, units
from sessionsim.metrics.estimators.invariants import enforce

# What is averaged, its unit, and the name of the metric.
SIZES: Final = (
    ("entropy", "bit", "Shannon entropy (M1)"),
    ("size", "count", "effective anonymity set (M2)"),
    ("degree", "prob", "degree of anonymity (M3)"),
    ("min entropy", "bit", "min-entropy (M4)"),
    ("collision", "bit", "collision entropy (M5)"),
    ("guesses", "count", "guessing entropy (M6)"),
)
_ID: Final = "anonymity-set"
_MIN_BEYOND: Final = 10  # Source: metrics 0.3, as in `latency`
_SLACK: Final = 1e-6  # Assumption: rounding of sums over many candidates


@METRICS.register(config=NoSettings, source="metrics section 1, M1-M6; 1.2(6) calibration before entropy")
class AnonymitySet:
    """Entropies and effective size of calibrated posteriors, mean and lower tail."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Add up, per account, what the posteriors leave; subjects without a posterior are left out."""
        found = Counts()
        for one in judge(replicate):
            if isinstance(one.outcome, Which) and not np.isnan(one.outcome.top_prob).all():
                found = found + _one(one, one.outcome, replicate.n_accounts)
        return found

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Say whether the posteriors hold, and if they do what they leave."""
        return [one for label in labels(counts, "asked") for one in _of(counts, label)]


def _of(counts: Sequence[Counts], label: str) -> list[Reading]:
    holds, said = calibrated(counts, label)
    if not holds:
        return [said]
    found = [
        between(_ID, counts, label, name, unit, partial(_average, counts, label, what))
        for what, unit, name in SIZES
    ]
    return [said, *found, *(_tail(counts, label, what, unit, name) for what, unit, name in SIZES)]


def _tail(counts: Sequence[Counts], label: str, what: str, unit: str, name: str) -> Reading:
    """Give what one subject in twenty falls below."""
    values, number, over = pooled(counts, label, f"each {what}", "each of")
    tail = quantile(values, number, over, 0.05, _MIN_BEYOND, "question")
    return reading(_ID, f"{label}: {name}, p5", unit, tail, counts={"subjects": float(len(values))})


def _average(counts: Sequence[Counts], label: str, what: str, role: str) -> Estimate:
    return mean(units(counts, label, role, what, "asked"))


def _one(judged: Judged, outcome: Which, n: int) -> Counts:
    said = ~np.isnan(outcome.top_prob)
    owner, among = outcome.owner[said], np.maximum(outcome.among[said], 1)
    entropy, top = outcome.entropy_bits[said], outcome.top_prob[said]
    collision, guessing = outcome.collision_bits[said], outcome.guessing[said]
    least = -np.log2(outcome.most_prob[said])
    # "None of these" is one outcome more than there are candidates.
    most = np.log2(among + 1)
    broken = [
        name
        for name, holds in (
            ("H_min <= H_2", least <= collision + _SLACK),
            ("H_2 <= H", collision <= entropy + _SLACK),
            ("H <= log N", entropy <= most + _SLACK),
            ("Massey: G >= 2^(H-2) + 1", (entropy < 2) | (guessing >= np.exp2(entropy - 2) + 1 - _SLACK)),
        )
        if judged.role == SCORED and not np.all(holds)
    ]
    enforce(broken, judged.label)
    parts = {
        "asked": np.ones(len(owner)),
        "claimed": top,
        "came true": outcome.first[said],
        "gap": outcome.first[said] - top,
        "entropy": entropy,
        "size": np.exp2(entropy),
        "degree": np.minimum(1.0, entropy / np.maximum(np.log2(among), 1e-12)) * (among > 1),
        "min entropy": least,
        "collision": collision,
        "guesses": guessing,
    }
    sums = {key(judged, name): per_account(owner, values, n) for name, values in parts.items()}
    each = {key(judged, f"each {what}"): floats(parts[what]) for what, _, _ in SIZES}
    return Counts(sums, each | {key(judged, "each of"): floats(owner)})


def calibrated(counts: Sequence[Counts], label: str) -> tuple[bool, Reading]:
    """Tell whether claims agree with outcomes, and give the reading that says so.

    The difference of the two is a ratio of sums like any other; its interval is taken over seeds or accounts
    and must hold 0.
    """
    gap = units(counts, label, SCORED, "gap", "asked")
    said, true = (units(counts, label, SCORED, what, "asked") for what in ("claimed", "came true"))
    claims = mean(said)
    # Where all units agree, the variance of the claims themselves still limits what can be told.
    p = np.minimum(said.hits / said.trials, 1.0)
    least = float(np.sqrt((p * (1 - p) * said.trials).sum()) / max(1.0, float(said.trials.sum())))
    off = signed_mean(gap, least)
    name, numbers = (
        f"{label}: posterior calibrated",
        {"came true": float(true.hits.sum() / true.trials.sum())},
    )
    if off.low is None or off.high is None or claims.value is None:
        few = off if off.value is None else claims
        return False, reading(_ID, name, "count", few, counts=numbers)
    holds = off.low <= 0 <= off.high
    numbers |= {"claimed": claims.value, "gap low": off.low, "gap high": off.high}
    sure = Estimate(float(holds), float(holds), float(holds), "exact", off.n, off.n_unit)
    return holds, reading(_ID, name, "count", sure, counts=numbers)
