"""M8 to M13: what the channel from the secret to the attack's best guess carries.

The guess is a function of the observation, so by data processing all of these are lower bounds of what the
observation itself leaks. Counted within each seed, whose subjects share one list of candidates; the interval
is over seeds.

    information    M8, mutual information of truth and guess, less what shuffled truths show; the share of
                   shuffles that show at least as much is its p-value
    vulnerability  M9, chance that the guess is right, against the best guess without an observation
    leakage        M10, log of the ratio of the two
    capacities     M11 and M13, only where every secret was met often enough for a row of the channel
    (M12, the gain of being within k guesses, is `rank-of-truth: top k`.)

Source: metrics section 1 (M8 to M13), 1.2(2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading
from sessionsim.metrics._judged import BLIND, SCORED, Judged, Which, judge
from sessionsim.metrics._registry import METRICS
from sessionsim.metrics._scored import BLIND_NAME, cut_to_prob, key, labels, samples
from sessionsim.metrics.estimators import channels, invariants
from sessionsim.metrics.estimators.comparison import over_seeds
from sessionsim.metrics.estimators.information import information, table_of

# What is read, its unit and its name; the blind guess's own value is the baseline.
PARTS: Final = (
    ("information", "bit", "mutual information less its permutation mean (M8)"),
    ("p", "prob", "p-value of the mutual information (M8)"),
    ("vulnerability", "prob", "Bayes vulnerability reached (M9)"),
    ("leakage", "bit", "min-entropy leakage reached (M10)"),
    ("min capacity", "bit", "min-capacity of the guess (M11)"),
    ("capacity", "bit", "Shannon capacity of the guess (M13)"),
)
_FLOORS: Final = {"information": 0.0}  # by construction: what shuffled truths show is taken off


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the guess channel."""

    permutations: int = setting(
        1000, doc="How often truths are shuffled for the null of the mutual information.",
        source="metrics 1.2(2)", low=10, high=100_000,
    )  # fmt: skip
    row: int = setting(
        10, doc="How often each secret must be met before capacities are computed.",
        source="Assumption: a row of the channel from fewer says nothing", low=1, high=100_000,
    )  # fmt: skip


@METRICS.register(config=Config, source="metrics section 1, M8-M13; 1.2(2)")
class GuessChannel:
    """Information, vulnerability, leakage and capacities of truth and best guess."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        assert isinstance(config, Config)
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Compute each number within the replicate; a replicate with fewer than two secrets says nothing."""
        found = Counts()
        for one in judge(replicate, roles=(SCORED, BLIND)):
            if isinstance(one.outcome, Which) and len(np.unique(one.outcome.truth)) > 1:
                stream = Seeds(replicate.seed).stream("metrics", "guess-channel", one.label, one.role)
                found = found + self._one(one, one.outcome, stream)
        return found

    def _one(self, judged: Judged, outcome: Which, stream: np.random.Generator) -> Counts:
        parts: dict[str, float] = {}
        repeated = len(outcome.truth) >= 2 * len(np.unique(outcome.truth))
        if judged.role == SCORED and repeated:  # secrets met once can be shuffled without any difference
            found = information(outcome.truth, outcome.best, stream, self._config.permutations)
            parts |= {"information": found.bits, "p": found.p_value}
        # Without an observation one would name the busiest; among strangers nobody is known to be busy.
        often = float(np.unique(outcome.truth, return_counts=True)[1].max() / len(outcome.truth))
        prior = float((1 / outcome.among).mean()) if judged.population else often
        success = float(outcome.first.mean())
        parts["vulnerability"] = success
        # A guess that does worse than the prior would be replaced by the prior's: nothing leaks then.
        parts["leakage"] = float(np.log2(max(success, prior) / prior))
        table = table_of(outcome.truth, outcome.best)
        if table.sum(axis=1).min() >= self._config.row:
            channel = table / table.sum(axis=1, keepdims=True)
            invariants.enforce(invariants.of_channel(channel, channels.uniform(len(channel))), judged.label)
            parts["min capacity"] = channels.min_capacity_bits(channel)
            parts["capacity"] = channels.capacity_bits(channel, tolerance=1e-6)
        return Counts({}, {key(judged, name): floats([value]) for name, value in parts.items()})

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give each number with its interval over seeds."""
        found = []
        for label in labels(counts, "vulnerability"):
            for what, unit, name in PARTS:
                own, blind = (samples(counts, label, role, what) for role in (SCORED, BLIND))
                if not own:
                    continue
                value = over_seeds(np.concatenate(own))
                floor = float(np.mean(np.concatenate(blind))) if blind else _FLOORS.get(what)
                found.append(
                    reading(
                        "guess-channel",
                        f"{label}: {name}",
                        unit,
                        cut_to_prob(value) if unit == "prob" else value,
                        counts={"seeds": float(len(own))},
                        baseline=floor,
                        baseline_name=BLIND_NAME if floor is not None else "",
                    )
                )
        return found
