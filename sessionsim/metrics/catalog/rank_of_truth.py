"""M7: where the truth stands in an attack's order, and how often it is among the k best.

Of subjects with exactly one true candidate. A truth that is no candidate at all (a sender whose link nobody
watches) is a miss for every k, for the oracle too: its value, the ceiling, is the share of subjects that
could be got right. Ranks are of the others alone, in share of the candidates, since the number of candidates
differs between subjects. Every guess of top k is scored as if ties were broken by chance.

Source: metrics section 1 (M7), 2c (ties).
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
from sessionsim.metrics._intervals import mean, quantile, reading, share, units_of
from sessionsim.metrics._judged import SCORED, Judged, Which, judge
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._scored import between, key, labels, per_account, pooled, samples, units

# Assumption: the specification's 1, 5 and 10, and a decade grid for the curve of ranks.
TOP: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_ID: Final = "rank-of-truth"
_MIN_BEYOND: Final = 10  # Source: metrics 0.3, as in `latency`


@METRICS.register(config=NoSettings, source="metrics section 1, M7; 2c (ties at random)")
class RankOfTruth:
    """Probability that the truth is among an attack's k best guesses, and its rank."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count, per account, subjects whose truth is among the k best."""
        found = Counts()
        for one in judge(replicate):
            if isinstance(one.outcome, Which):
                found = found + self._one(one, one.outcome, replicate.n_accounts)
        return found

    def _one(self, judged: Judged, outcome: Which, n: int) -> Counts:
        asked = per_account(outcome.owner, np.ones(len(outcome.rank)), n)
        sums = {key(judged, "asked"): asked, key(judged, "there"): judged.asked}
        sums[key(judged, "reachable")] = per_account(outcome.owner, outcome.reachable, n)
        for k in TOP:
            # A blind guess over so many candidates finds the truth among k with this probability.
            chance = np.minimum(k / np.maximum(outcome.among, 1), 1.0) * outcome.reachable
            sums[key(judged, f"chance {k}")] = per_account(outcome.owner, chance, n)
            sums[key(judged, f"top {k}")] = per_account(outcome.owner, outcome.within(k), n)
        seen = outcome.reachable & (outcome.among > 1)
        place = (outcome.rank[seen] - 1) / (outcome.among[seen] - 1)
        return Counts(
            sums,
            {
                key(judged, "place"): place,
                key(judged, "place of"): floats(outcome.owner[seen]),
                key(judged, "most"): floats([outcome.among.max(initial=1)]),
            },
        )

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give success for each k that says something, coverage, and the place of the truth."""
        return [one for label in labels(counts, "asked") for one in _of(counts, label)]


def _of(counts: Sequence[Counts], label: str) -> list[Reading]:
    numbers = {
        name: sum(c.total(f"{label}||{name}") for c in counts) for name in ("asked", "there", "reachable")
    }
    most = max(float(one.max()) for one in samples(counts, label, SCORED, "most"))
    found = []
    for k in TOP:
        if k == 1 or k < most:
            right = sum(c.total(f"{label}||top {k}") for c in counts)
            name, extra = f"top {k}", numbers | {"right": right}
            chance = sum(c.total(f"{label}||chance {k}") for c in counts) / max(numbers["asked"], 1.0)
            top = partial(_top, counts, label, k)
            found.append(between(_ID, counts, label, name, "prob", top, extra, base=chance))
    name = "mean place of the truth (0 first, 1 last)"
    found.append(between(_ID, counts, label, name, "prob", partial(_mean_place, counts, label), numbers))
    values, number, unit = pooled(counts, label, "place", "place of")
    # One subject in twenty stands before this place: victims, not the average.
    tail = quantile(values, number, unit, 0.05, _MIN_BEYOND, "question")
    blind = "a blind guess: places are uniform"
    name = f"{label}: place of the truth, p5"
    return [*found, reading(_ID, name, "prob", tail, counts=numbers, baseline=0.05, baseline_name=blind)]


def _top(counts: Sequence[Counts], label: str, k: int, role: str) -> Estimate:
    return share(units(counts, label, role, f"top {k}", "asked"))


def _mean_place(counts: Sequence[Counts], label: str, role: str) -> Estimate:
    per_seed = []
    for c in counts:
        name = f"{label}|{role}|place"
        if name in c.samples:
            n = len(c.sums[f"{label}|{role}|asked"])
            owner = c.samples[f"{name} of"].astype(np.int64)
            per_seed.append(
                (per_account(owner, c.samples[name], n), per_account(owner, np.ones(len(owner)), n))
            )
    return mean(units_of(per_seed, trial="question"))
