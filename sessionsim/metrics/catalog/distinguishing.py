"""M14, M15: how well right and wrong candidates are told apart, and what an alarm is worth.

Advantage of the two-candidate game (metrics 1.1): the truth against one other candidate of the same subject,
drawn at random; the attack takes the one it scores higher, equal scores by a coin. Twice the success less
one is 0 for a blind guess and 1 for an oracle. Where pairs are asked for, the other one is a pair that does
not hold, of the same account, and beside the game stand TPR less FPR of the alarms as they were raised, their
positive predictive value, and a lower bound of eps.

Where the question is of which kind something is, the challenge is drawn evenly over the true kinds, however
often each occurs; else who knows how often kinds occur, and nothing of the subject, would win.

The ROC curve is made of each true pair's own false-positive rate: the share of wrong pairs of its replicate
that score at least as high. TPR at a rate is the share of true pairs at or below it, with the interval over
seeds or accounts, never over pairs. No rate below 10 over the number of wrong pairs is given (metrics 0.3).
Predictive values stand beside each, at the share of true pairs among all pairs of that world.

Source: metrics section 1 (M14, M15), 1.1, 1.2(5), 0.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.metrics._counts import Counts, FloatArray, floats
from sessionsim.metrics._estimate import Estimate, too_few
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import Units, rate_difference, reading, share, signed_mean, units_of
from sessionsim.metrics._judged import (
    BLIND,
    OF_KINDS,
    ORACLE,
    SCORED,
    HowMuch,
    Judged,
    Whether,
    Which,
    judge,
)
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._scored import BLIND_NAME, between, cut_to, key, labels, per_account, samples, units
from sessionsim.metrics.estimators.audit import epsilon_bound
from sessionsim.metrics.estimators.detection import ALARMS_BELOW_LIMIT, predictive_value

# Assumption: three points a decade are enough for a curve with a logarithmic axis.
RATES: Final = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_ID: Final = "distinguishing"
_CLAIMED: Final = (1e-5, 1e-4, 1e-3)  # Source: metrics 2b: TPR at these, whether or not data suffice


@METRICS.register(config=NoSettings, source="metrics section 1, M14, M15; 1.1 games; 0.3 base rates")
class Distinguishing:
    """Advantage, ROC curve, alarms and their predictive value."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Count games, alarms, and each true pair's false-positive rate."""
        found = Counts()
        for one in judge(replicate):
            if isinstance(one.outcome, HowMuch):
                continue
            n = replicate.n_accounts
            found = found + (
                _games(one, one.outcome, n) if isinstance(one.outcome, Which) else _pairs(one, one.outcome, n)
            )
            if one.role == SCORED:
                found = found + _curve(one, replicate)
        return found

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the advantage, the curve, and what the alarms are worth."""
        found: list[Reading] = []
        for label in labels(counts, "games"):
            won = partial(_won, counts, label)
            played = [c.sums[f"{label}||games"] for c in counts if f"{label}||games" in c.sums]
            numbers = {
                "games": float(sum(one.sum() for one in played)),
                "accounts": float(sum((one > 0).sum() for one in played)),
            }
            found.append(between(_ID, counts, label, "advantage", "advantage", won, numbers))
            found += _roc(counts, label)
            if any(f"{label}||alarms" in c.sums for c in counts):
                found += _alarms(counts, label)
        return found


def _won(counts: Sequence[Counts], label: str, role: str) -> Estimate:
    return cut_to(signed_mean(units(counts, label, role, "won", "games")), -1.0, 1.0)


def _true_alarms(counts: Sequence[Counts], label: str, role: str) -> Estimate:
    return share(units(counts, label, role, "hits", "alarms", "alarm"))


def _games(judged: Judged, outcome: Which, n: int) -> Counts:
    # Who is the only candidate has no rival; who is no candidate cannot be told from one: the coin decides.
    weight = np.ones(len(outcome.beats))
    if judged.question in OF_KINDS and len(weight):
        _, kind, often = np.unique(outcome.truth, return_inverse=True, return_counts=True)
        weight = len(weight) / (len(often) * often[kind])
    return Counts(
        {
            key(judged, "games"): per_account(outcome.owner, weight, n),
            key(judged, "won"): per_account(outcome.owner, weight * (2 * outcome.beats - 1), n),
        }
    )


def _pairs(judged: Judged, outcome: Whether, n: int) -> Counts:
    known = outcome.owner >= 0
    owner, score = outcome.owner[known], outcome.score[known]
    holds, alarm = outcome.holds[known], outcome.alarm[known]
    won, games = np.zeros(n), np.zeros(n)
    for account in np.unique(owner).tolist():
        mine = owner == account
        good, bad = score[mine & holds], np.sort(score[mine & ~holds])
        if len(good) and len(bad):
            below = (np.searchsorted(bad, good, "left") + np.searchsorted(bad, good, "right")) / 2
            won[account], games[account] = float((2 * below / len(bad) - 1).sum()), float(len(good))
    return Counts(
        {
            key(judged, "games"): games,
            key(judged, "won"): won,
            key(judged, "true pairs"): per_account(owner, holds, n),
            key(judged, "wrong pairs"): per_account(owner, ~holds, n),
            key(judged, "hits"): per_account(owner, holds & alarm, n),
            key(judged, "false alarms"): per_account(owner, ~holds & alarm, n),
            key(judged, "alarms"): per_account(owner, alarm, n),
        }
    )


def _curve(judged: Judged, replicate: Replicate) -> Counts:
    """Give each true pair's false-positive rate within its replicate."""
    outcome = judged.outcome
    if isinstance(outcome, Which):
        # A candidate that is not listed scores nothing; so does a truth that is none of the candidates.
        own, among = np.nan_to_num(outcome.true_prob, nan=0.0), int(outcome.among.sum())
        if np.isnan(outcome.top_prob).all():
            return Counts()
        wrong = np.sort(outcome.wrong_prob)
        total = max(among - int(outcome.reachable.sum()), 1)
        unlisted = max(total - len(wrong), 0)
        above = len(wrong) - np.searchsorted(wrong, own, "left") + np.where(own <= 0, unlisted, 0)
        owner = outcome.owner
    else:
        assert isinstance(outcome, Whether)
        known = outcome.owner >= 0
        good, wrong = outcome.score[outcome.holds & known], np.sort(outcome.score[~outcome.holds & known])
        above, total = len(wrong) - np.searchsorted(wrong, good, "left"), max(len(wrong), 1)
        owner = outcome.owner[outcome.holds & known]
    return Counts(
        {key(judged, "curve wrong"): floats([total]), key(judged, "curve true"): floats([len(owner)])},
        {
            key(judged, "rate"): floats(above / total),
            key(judged, "rate of"): floats(owner),
            key(judged, "curve accounts"): floats([replicate.n_accounts]),
        },
    )


def _roc(counts: Sequence[Counts], label: str) -> list[Reading]:
    rates, owners = samples(counts, label, SCORED, "rate"), samples(counts, label, SCORED, "rate of")
    if not rates or not sum(map(len, rates)):
        return []
    wrong = [c.total(f"{label}||curve wrong") for c in counts if f"{label}||curve wrong" in c.sums]
    sizes = [int(one[0]) for one in samples(counts, label, SCORED, "curve accounts")]
    fewest = min(wrong)
    prior = sum(map(len, rates)) / (sum(map(len, rates)) + sum(wrong))
    found = []
    for rate in RATES:
        needed = int(np.ceil(ALARMS_BELOW_LIMIT / rate - 1e-9))
        if fewest < needed and rate not in _CLAIMED:
            continue
        per_seed = [
            (per_account(owner, own <= rate, n), per_account(owner, np.ones(len(own)), n))
            for own, owner, n in zip(rates, owners, sizes, strict=True)
        ]
        enough = fewest >= needed
        tpr = share(units_of(per_seed)) if enough else too_few("95 %", int(fewest), "wrong pair", needed)
        numbers = {
            "wrong pairs": float(sum(wrong)),
            "true pairs": float(sum(map(len, rates))),
            "prior": prior,
        }
        if tpr.value is not None:
            numbers["predictive value"] = predictive_value(tpr.value, rate, prior)
        found.append(
            reading(_ID, f"{label}: TPR at FPR {rate:g}", "prob", tpr, counts=numbers,
                    baseline=rate, baseline_name="a blind guess: as many true as wrong pairs alarm")
        )  # fmt: skip
    return found


def _alarms(counts: Sequence[Counts], label: str) -> list[Reading]:
    made = {role: _difference(counts, label, role) for role in (SCORED, BLIND, ORACLE)}
    totals = {
        name: sum(c.total(f"{label}||{name}") for c in counts)
        for name in ("true pairs", "wrong pairs", "hits", "false alarms", "alarms")
    }
    best = made[ORACLE].value
    ceiling = {"ceiling": best} if best is not None else {}
    blind, floor = made[BLIND].value, "alarms that tell nothing"
    name, numbers = f"{label}: TPR less FPR of alarms", totals | ceiling
    found = [
        reading(
            _ID, name, "advantage", made[SCORED], counts=numbers, baseline=blind, baseline_name=BLIND_NAME
        )
    ]
    alarms = partial(_true_alarms, counts, label)
    found.append(between(_ID, counts, label, "alarms that are true", "prob", alarms, totals))
    eps = epsilon_bound(
        int(totals["false alarms"]),
        max(1, int(totals["wrong pairs"])),
        int(totals["true pairs"] - totals["hits"]),
        max(1, int(totals["true pairs"])),
    )
    n = sum(len(c.sums[f"{label}||alarms"]) for c in counts if f"{label}||alarms" in c.sums)
    bound = Estimate(eps, eps, eps, "95 % lower bound, Clopper-Pearson over pairs", n, "account")
    name = f"{label}: eps, at least"
    return [*found, reading(_ID, name, "nat", bound, counts=totals, baseline=0.0, baseline_name=floor)]


def _difference(counts: Sequence[Counts], label: str, role: str) -> Estimate:
    """TPR less FPR, over the same seeds or accounts."""
    having = [c for c in counts if f"{label}|{role}|alarms" in c.sums]
    by_seed = len(having) >= 3

    def column(name: str) -> FloatArray:
        parts = [c.sums[f"{label}|{role}|{name}"] for c in having]
        return floats([part.sum() for part in parts]) if by_seed else np.concatenate(parts)

    unit = "seed" if by_seed else "account"
    sides = [
        Units(column(hits), column(trials), unit, 0, trial=trials.removesuffix("s"))
        for hits, trials in (("hits", "true pairs"), ("false alarms", "wrong pairs"))
    ]
    return cut_to(rate_difference(sides[0], sides[1]), -1.0, 1.0)
