"""From scores to probabilities that mean what they say: an isotonic curve learned on training seeds.

An attack that only ranks may still claim something: of the pairs that scored like this one on training seeds,
this share was true. The curve is the least-squares one that never falls (pool adjacent violators), with one
true and one false pair added at its ends so that nothing is ever certain. Where a subject has more candidates
than on training seeds, the odds are lowered in proportion. Without training there is no claim.

Source: metrics 1.2(6); Zadrozny, Elkan, KDD 2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.core.verdict import Form, Verdict

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """A curve from score to probability.

    Args:
        score, prob: ascending and never falling, equally long.
        among: how many candidates a subject had on training seeds, on average.
    """

    score: Floats
    prob: Floats
    among: float

    def __call__(self, score: Floats) -> Floats:
        """Give the probability of each score; between learned ones by a straight line."""
        found: Floats = np.interp(score, self.score, self.prob)
        return found


def learn_claims(score: npt.ArrayLike, holds: npt.ArrayLike, among: float = 1.0) -> Claims | None:
    """Learn from scored pairs of training seeds; None if there were none, or all or none of them held."""
    values, true = np.asarray(score, dtype=np.float64), np.asarray(holds, dtype=np.float64)
    if not len(values) or true.min() == true.max():
        return None
    ends = np.r_[values.min(), values.max()]
    order = np.argsort(np.r_[values, ends], kind="stable")
    told = np.r_[true, 1.0, 0.0][order]
    where = np.r_[values, ends][order]
    distinct, inverse = np.unique(where, return_inverse=True)
    weight = np.bincount(inverse).astype(np.float64)
    mean = np.bincount(inverse, told) / weight
    fitted = scipy.optimize.isotonic_regression(mean, weights=weight).x
    return Claims(distinct, np.clip(np.asarray(fitted, dtype=np.float64), 1e-6, 1 - 1e-6), among)


def claimed(verdict: Verdict, claims: Claims | None) -> Verdict:
    """Put probabilities to a verdict's scores. A `which` subject's are scaled down where they exceed 1."""
    if claims is None or not len(verdict):
        return verdict
    prob = np.where(verdict.candidate == "", 0.0, claims(verdict.score))
    # With more candidates about, each of them is the less likely before anything is seen.
    odds = prob / (1 - prob) * claims.among / np.maximum(verdict.among, 1)
    prob = odds / (1 + odds)
    if verdict.question.facts.form is Form.WHICH:
        _, whose = np.unique(verdict.subject.astype(str), return_inverse=True)
        total = np.bincount(whose, prob)
        prob = prob / np.maximum(1.0, total)[whose]
    return Verdict(
        verdict.question, verdict.subject, verdict.candidate, verdict.score, prob, verdict.among, verdict.t_us
    )


def judged_pairs(verdict: Verdict, labels: dict[str, tuple[str, ...]]) -> tuple[list[float], list[bool]]:
    """Give the scores of a training verdict's pairs, and which hold; unknown subjects are left out."""
    scores, holds = [], []
    rows = zip(verdict.subject.tolist(), verdict.candidate.tolist(), verdict.score.tolist(), strict=True)
    for subject, candidate, score in rows:
        if candidate and subject in labels:
            scores.append(score)
            holds.append(candidate in labels[subject])
    return scores, holds


def learn_from(judged: Sequence[tuple[Verdict, dict[str, tuple[str, ...]]]]) -> Claims | None:
    """Learn from verdicts on training views, each with its labels."""
    scores, holds, among = list[float](), list[bool](), list[float]()
    for verdict, labels in judged:
        more, true = judged_pairs(verdict, labels)
        scores += more
        holds += true
        among += verdict.among.tolist()
    return learn_claims(scores, holds, float(np.mean(among)) if among else 1.0)
