"""M17: how many ways a whole round of messages could have been sent, in the eyes of the attack.

A round is a number of messages seen one after another. Entry (i, j) of its matrix is the posterior that
message i came from the sender of message j, rows scaled to sum to 1. The permanent adds up the weights of
all one-to-one assignments; it is 1 where only one is possible and n!/n^n where all are equally likely, so
the measure is its logarithm over that of n!/n^n: 0 for no anonymity, 1 for perfect.

Needs every sender of a round among the candidates; other rounds are counted apart. Exact by Ryser's formula,
whose cost doubles with each message, so rounds are short. Only calibrated posteriors mean something here; see
`anonymity-set: posterior calibrated`.

Source: metrics section 1 (M17); Edman, Sivrikaya, Yener, ISI 2007 (the probabilistic form).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.core.settings import setting
from sessionsim.core.verdict import Form, Labelled
from sessionsim.metrics._answer_key import AnswerKey
from sessionsim.metrics._counts import Counts, FloatArray, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import quantile, reading
from sessionsim.metrics._judged import label_of
from sessionsim.metrics._registry import METRICS
from sessionsim.metrics._scored import cut_to_prob, labels, samples
from sessionsim.metrics.estimators.comparison import over_seeds

_ID: Final = "system-anonymity"
_MIN_BEYOND: Final = 10  # Source: metrics 0.3, as in `latency`


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of system anonymity."""

    round: int = setting(
        8, doc="How many messages, one after another, make a round.",
        source="Assumption: small enough for exact permanents", low=2, high=16,
    )  # fmt: skip


@METRICS.register(config=Config, source="metrics section 1, M17; Edman et al., ISI 2007")
class SystemAnonymity:
    """Normalised logarithm of the permanent of a round's posteriors."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        assert isinstance(config, Config)
        self._round = config.round

    def tally(self, replicate: Replicate) -> Counts:
        """Average over the rounds of the replicate."""
        samples: dict[str, FloatArray] = {}
        if not replicate.verdicts:
            return Counts()
        key = AnswerKey(replicate)
        for one in replicate.verdicts:
            facts = one.verdict.question.facts
            if (
                facts.form is Form.WHICH
                and facts.subject == "message"
                and not np.isnan(one.verdict.prob).any()
            ):
                values, left_out = self._rounds(key, one)
                label = label_of(one, replicate.n_accounts)
                if values:
                    samples[f"{label}||degree"] = floats([np.mean(values)])
                    samples[f"{label}||each"] = floats(values)
                    samples[f"{label}||rounds"] = floats([len(values)])
                    samples[f"{label}||left out"] = floats([left_out])
        return Counts({}, samples)

    def _rounds(self, key: AnswerKey, one: Labelled) -> tuple[list[float], int]:
        verdict = one.verdict
        truths = key.truths(verdict.question)
        posterior: dict[str, dict[str, float]] = {}
        rows = zip(verdict.subject.tolist(), verdict.candidate.tolist(), verdict.prob.tolist(), strict=True)
        for subject, candidate, prob in rows:
            if truths.get(subject) and key.within(subject) and candidate:
                posterior.setdefault(subject, {})[candidate] = prob
        names, values, left_out = list(posterior), list[float](), 0
        for begin in range(0, len(names) - self._round + 1, self._round):
            part = names[begin : begin + self._round]
            senders = [truths[name][0] for name in part]
            matrix = floats([[posterior[name].get(sender, 0.0) for sender in senders] for name in part])
            if np.any(matrix.sum(axis=1) <= 0):
                left_out += 1
                continue
            values.append(degree(matrix))
        return values, left_out

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the mean over rounds, with its interval over seeds, and what one round in twenty is below."""
        found = []
        for label in labels(counts, "degree"):
            value = cut_to_prob(over_seeds(np.concatenate(samples(counts, label, "", "degree"))))
            numbers = {
                name: float(np.sum(np.concatenate(samples(counts, label, "", name))))
                for name in ("rounds", "left out")
            }
            name, floor = f"{label}: rounds of {self._round}", "all assignments equally likely"
            found.append(reading(_ID, name, "prob", value, counts=numbers, baseline=1.0, baseline_name=floor))
            each = samples(counts, label, "", "each")
            seed = np.repeat(np.arange(len(each)), [len(own) for own in each])
            tail = quantile(np.concatenate(each), floats(seed), "seed", 0.05, _MIN_BEYOND, "round")
            found.append(reading(_ID, f"{name}, p5", "prob", tail, counts=numbers))
        return found


def degree(matrix: FloatArray) -> float:
    """Give log per(P) / log(n!/n^n) of a square of weights whose rows are scaled to sum to 1, 0..1.

    An assignment that the weights exclude altogether counts as none possible, which is no anonymity.
    """
    n = len(matrix)
    if n < 2:
        return 0.0
    weight = permanent(matrix / matrix.sum(axis=1, keepdims=True))
    if weight <= 0:
        return 0.0
    most = math.lgamma(n + 1) - n * math.log(n)
    return min(1.0, max(0.0, math.log(min(weight, 1.0)) / most))


def permanent(matrix: FloatArray) -> float:
    """Give the permanent of a square matrix by Ryser's formula, in Gray-code order; n up to about 20."""
    n = len(matrix)
    total, sums, sign = 0.0, np.zeros(n), (-1.0) ** n
    chosen = np.zeros(n, dtype=bool)
    for k in range(1, 1 << n):
        column = (k & -k).bit_length() - 1
        sums = sums + (-matrix[:, column] if chosen[column] else matrix[:, column])
        chosen[column] = not chosen[column]
        total += (-1.0) ** int(chosen.sum()) * float(np.prod(sums))
    return sign * total
