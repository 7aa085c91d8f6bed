"""Whether probabilities mean what they say: claims in tenths against what came true.

Of the best guess of each subject, and of each pair where pairs are asked for. Brier score and expected
calibration error sum it up; the tenths are the points of the plot. A posterior that fails here gets no
entropy (`anonymity-set`).

Source: metrics 1.2(6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, FloatArray
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import Units, mean, reading, share, units_of
from sessionsim.metrics._judged import SCORED, Judged, Whether, Which, judge
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._scored import cut_to_prob, key, labels, per_account, units

TENTHS: Final = 10  # Assumption: the usual number of bins of reliability diagrams


@METRICS.register(config=NoSettings, source="metrics 1.2(6): Brier score, expected calibration error")
class Calibration:
    """What guesses claim, and how often they come true."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count claims and outcomes per account and tenth."""
        found = Counts()
        for one in judge(replicate, roles=(SCORED,)):
            claims = _claims(one.outcome)
            if claims is not None and len(claims[0]):
                found = found + _one(one, *claims, replicate.n_accounts)
        return found

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the Brier score, the expected calibration error, and each tenth that holds a claim."""
        found: list[Reading] = []
        for label in labels(counts, "claims"):
            numbers = {"claims": sum(c.total(f"{label}||claims") for c in counts)}
            found.append(
                reading(
                    "calibration", f"{label}: Brier score", "prob",
                    cut_to_prob(mean(units(counts, label, SCORED, "squared", "claims"))),
                    counts=numbers, baseline=0.0, baseline_name="claims that are certain and true",
                )
            )  # fmt: skip
            for tenth in range(TENTHS):
                n = sum(c.total(f"{label}||n {tenth}") for c in counts)
                if not n:
                    continue
                claimed = sum(c.total(f"{label}||p {tenth}") for c in counts) / n
                name = f"{label}: came true of claims from {tenth * 10} to {tenth * 10 + 10} %"
                found.append(
                    reading(
                        "calibration", name, "prob",
                        share(_units(counts, label, tenth)),
                        counts={"claims": n, "claimed": claimed},
                        baseline=min(claimed, 1.0), baseline_name="what was claimed on average",
                    )
                )  # fmt: skip
        return found


def _units(counts: Sequence[Counts], label: str, tenth: int) -> Units:
    pairs = [
        (c.sums[f"{label}||true {tenth}"], c.sums[f"{label}||n {tenth}"])
        for c in counts
        if f"{label}||n {tenth}" in c.sums
    ]
    return units_of(pairs)


def _claims(outcome: object) -> tuple[np.ndarray, FloatArray, FloatArray] | None:
    """Owner, claimed probability and outcome of each claim; None where nothing is claimed."""
    if isinstance(outcome, Which):
        said = ~np.isnan(outcome.top_prob)
        return outcome.owner[said], outcome.top_prob[said], outcome.first[said]
    if isinstance(outcome, Whether):
        said = ~np.isnan(outcome.prob) & (outcome.owner >= 0)
        return outcome.owner[said], outcome.prob[said], outcome.holds[said].astype(np.float64)
    return None


def _one(judged: Judged, owner: np.ndarray, claimed: FloatArray, true: FloatArray, n: int) -> Counts:
    sums = {
        key(judged, "claims"): per_account(owner, np.ones(len(owner)), n),
        key(judged, "squared"): per_account(owner, (claimed - true) ** 2, n),
    }
    tenth = np.minimum((claimed * TENTHS).astype(int), TENTHS - 1)
    for k in range(TENTHS):
        here = tenth == k
        for name, amount in (("n", np.ones(len(owner))), ("p", claimed), ("true", true)):
            sums[key(judged, f"{name} {k}")] = per_account(owner[here], amount[here], n)
    return Counts(sums)
