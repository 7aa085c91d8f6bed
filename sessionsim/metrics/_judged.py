"""Verdicts beside the answer key: what each guess was worth, before anything is averaged.

Every verdict is judged three times: as it stands, as a blind guess over the same subjects and candidates
(the null member: it ranks by chance), and as an oracle that names the truth wherever it is among the
candidates. So each reading has its floor and its ceiling, made from the same questions.

    rank      of the true candidate; equal scores share the mean of their ranks, and a truth that is not
              listed shares the ranks of all that are not
    reachable whether the truth is among the candidates at all; where it is not, no guess could be right
    beats     probability that the truth scores above another candidate drawn at random, ties half: the
              two-candidate game of metrics 1.1, whose advantage is 2 x beats - 1; where kinds are asked for,
              only those that occur are drawn
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import Seeds
from sessionsim.core.verdict import ALARM, Form, Labelled, Question, Verdict
from sessionsim.metrics._answer_key import AnswerKey
from sessionsim.metrics._counts import FloatArray
from sessionsim.metrics._facts import Replicate

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

SCORED, BLIND, ORACLE = "", "blind", "oracle"
# The columns of `Which` that one row of numbers per subject fills, with their types.
_COLUMNS: Final[dict[str, type[Any]]] = {
    "owner": np.int64, "among": np.int64, "rank": np.float64, "reachable": np.bool_, "ties": np.int64,
    "first": np.float64,
    "beats": np.float64, "top_prob": np.float64, "true_prob": np.float64, "most_prob": np.float64,
    "entropy_bits": np.float64,
    "collision_bits": np.float64, "guessing": np.float64, "t_us": np.int64, "best": np.int64,
    "truth": np.int64,
}  # fmt: skip
# Questions whose candidates are kinds, the same ones for every subject.
OF_KINDS: Final = (Question.DEVICES, Question.EVENT_KIND, Question.PLATFORM)
ROLES: Final = (SCORED, BLIND, ORACLE)


@dataclass(frozen=True, slots=True, eq=False)
class Which:
    """Subjects with one true candidate each, shape (subjects,) unless said otherwise.

    Args:
        owner: account whose secret it is. among: candidates in all. rank, reachable, beats: see the module.
        ties: how many candidates share the truth's score, itself included; 0 where it is no candidate.
        first: probability that the best guess is right, ties at random.
        top_prob, true_prob: posterior of the best guess and of the truth; NaN where the attack claims none.
        most_prob: largest probability of any outcome, "none of these" included; NaN likewise.
        entropy_bits, collision_bits: of the posterior, what is not listed spread evenly; NaN likewise.
        guessing: mean number of guesses in order of the posterior; NaN likewise.
        t_us: since when the best guess stands; -1 unknown.
        best, truth: numbers of the best guess and of the truth among all terms met, for confusion tables.
        wrong_prob: posteriors of all listed candidates that are not true, shape (any,).
    """

    owner: Ints
    among: Ints
    rank: FloatArray
    reachable: Flags
    ties: Ints
    first: FloatArray
    beats: FloatArray
    top_prob: FloatArray
    true_prob: FloatArray
    most_prob: FloatArray
    entropy_bits: FloatArray
    collision_bits: FloatArray
    guessing: FloatArray
    t_us: Ints
    best: Ints
    truth: Ints
    wrong_prob: FloatArray

    def within(self, k: int) -> FloatArray:
        """Give the probability that the truth is among the k best, ties at random, shape (subjects,)."""
        above = self.rank - (self.ties + 1) / 2
        return np.where(self.reachable, np.clip((k - above) / np.maximum(self.ties, 1), 0.0, 1.0), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Whether:
    """Pairs that hold or do not. Args: owner: account of the subject; alarm: claimed at one half or more."""

    owner: Ints
    score: FloatArray
    prob: FloatArray
    holds: Flags
    alarm: Flags


@dataclass(frozen=True, slots=True, eq=False)
class HowMuch:
    """Numbers. Args: guess, truth: in the question's unit."""

    owner: Ints
    guess: FloatArray
    truth: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One verdict judged in one role. Args: label: of its readings; asked: subjects the run has in all."""

    label: str
    attack: str
    kind: str
    observer: str
    population: int
    question: Question
    role: str
    asked: FloatArray
    outcome: Which | Whether | HowMuch


def label_of(one: Labelled, accounts: int) -> str:
    """Name a verdict for readings: the attack, and how large the world was that it was made in."""
    world = f"population {one.population:,}" if one.population else f"closed world of {accounts}"
    return f"{one.attack}, {world}"


def judge(replicate: Replicate, *, roles: tuple[str, ...] = ROLES) -> Iterator[Judged]:
    """Judge all verdicts of a replicate, each in all roles."""
    if not replicate.verdicts:
        return
    key = AnswerKey(replicate)
    for one in replicate.verdicts:
        label = label_of(one, replicate.n_accounts)
        chance = Seeds(replicate.seed).stream("metrics", "blind", label)
        question = one.verdict.question
        asked = _asked(key, question, replicate.n_accounts)
        outcome = _outcome(key, one)
        for role in roles:
            acted = (
                outcome if role == SCORED else _blind(outcome, chance) if role == BLIND else _oracle(outcome)
            )
            yield Judged(
                label, one.attack, one.kind, one.observer, one.population, question, role, asked, acted
            )


def _asked(key: AnswerKey, question: Question, n_accounts: int) -> FloatArray:
    """Count, per account, the subjects that have an answer in the measured phase."""
    owners = [
        key.owner(subject) for subject, true in key.truths(question).items() if true and key.within(subject)
    ]
    counted = np.bincount([owner for owner in owners if owner >= 0], minlength=n_accounts)
    return counted.astype(np.float64)


def _outcome(key: AnswerKey, one: Labelled) -> Which | Whether | HowMuch:
    verdict, form = one.verdict, one.verdict.question.facts.form
    if form is Form.WHICH:
        return _which(key, verdict, one.observer)
    if form is Form.WHETHER:
        return _whether(key, verdict)
    return _how_much(key, verdict)


def _which(key: AnswerKey, verdict: Verdict, observer: str) -> Which:
    truths = key.truths(verdict.question)
    names, inverse = np.unique(verdict.subject.astype(str), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.r_[0, np.cumsum(np.bincount(inverse, minlength=len(names)))]
    terms: dict[str, int] = {}
    kinds: list[str] | None = None
    if verdict.question in OF_KINDS:
        kinds = sorted({term for name, true in truths.items() if key.within(name) for term in true})
    rows: list[tuple[float, ...]] = []
    wrong: list[FloatArray] = []
    for k, name in enumerate(names.tolist()):
        true = truths.get(name, ())
        if not true or key.owner(name) < 0 or not key.within(name):
            continue
        at = order[bounds[k] : bounds[k + 1]]
        at = at[verdict.candidate[at] != ""]
        seen = any(key.sees(observer, term) for term in true)
        among = int(verdict.among[order[bounds[k]]])
        rows.append((key.owner(name), *_ranked(verdict, at, among, true, seen, terms, kinds)))
        wrong.append(np.nan_to_num(verdict.prob[at][~np.isin(verdict.candidate[at], true)], nan=0.0))
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(_COLUMNS)).T
    columns: dict[str, Any] = {name: table[k].astype(_COLUMNS[name]) for k, name in enumerate(_COLUMNS)}
    return Which(**columns, wrong_prob=np.concatenate(wrong) if wrong else np.zeros(0))


def _ranked(
    verdict: Verdict, at: Ints, among: int, true: tuple[str, ...], seen: bool, terms: dict[str, int],
    kinds: list[str] | None,
) -> tuple[float, ...]:  # fmt: skip
    """Judge one subject; the order of fields is that of `Which` without the owner."""
    score, prob, candidate = verdict.score[at], verdict.prob[at], verdict.candidate[at]
    among, listed = max(among, len(at)), len(at)
    # Of several right answers (addresses of one account) the best placed counts.
    own = np.flatnonzero(np.isin(candidate, true))
    own = own[np.argsort(-score[own], kind="stable")]
    truth_term = terms.setdefault(true[0], len(terms))
    best = str(candidate[int(score.argmax())]) if listed else ""
    best_term = truth_term if best in true else terms.setdefault(best, len(terms)) if listed else -1
    moment = int(verdict.t_us[at[int(score.argmax())]]) if listed else -1
    shape = _shape(prob, among)
    if len(own):
        mine = score[own[0]]
        ties = int((score == mine).sum())
        rank = 1 + int((score > mine).sum()) + (ties - 1) / 2
        first = (1.0 / ties) if rank == (ties + 1) / 2 else 0.0
        true_prob = float(prob[own[0]])
    elif among > listed and seen:
        ties = among - listed
        rank, first = listed + (ties + 1) / 2, 0.0 if listed else 1.0 / among
        left = 1 - np.nansum(prob) if listed and not np.isnan(prob).all() else np.nan
        true_prob = float(left) / (among - listed)
    else:
        return (among, 0.0, 0.0, 0.0, 0.0, 0.5, shape[0], np.nan, *shape[1:], moment, best_term, truth_term)
    beats = 0.5 if among == 1 else (among - rank) / (among - 1)  # one candidate alone makes no game
    if kinds is not None and len(own):
        others = score[np.isin(candidate, kinds) & ~np.isin(candidate, true)]
        beats = float(np.mean(np.sign(score[own[0]] - others)) + 1) / 2 if len(others) else 0.5
    return (
        among,
        rank,
        1.0,
        ties,
        first,
        beats,
        shape[0],
        true_prob,
        *shape[1:],
        moment,
        best_term,
        truth_term,
    )


def _shape(prob: FloatArray, among: int) -> tuple[float, float, float, float, float]:
    """Best guess, likeliest outcome, entropy, collision and guessing entropy; the unlisted share evenly."""
    if not len(prob) or np.isnan(prob).any():
        return (np.nan, np.nan, np.nan, np.nan, np.nan)
    best = float(prob.max())
    rest, left = among - len(prob), max(0.0, 1 - float(prob.sum()))
    if not rest:
        # All are listed, so what is missing means "none of these": one more outcome.
        prob, left = (np.r_[prob, left], 0.0) if left > 1e-9 else (prob / prob.sum(), 0.0)
    seen = prob[prob > 0]
    entropy, powers = -float((seen * np.log2(seen)).sum()), float((seen**2).sum())
    falling = -np.sort(-prob)
    guesses, most = float((falling * np.arange(1, len(falling) + 1)).sum()), float(falling[0])
    if rest and left > 0:
        each = left / rest
        most = max(most, each)
        entropy -= left * float(np.log2(each))
        powers += left * each
        better = float(falling[falling < each].sum())  # the unlisted are guessed before these
        guesses += left * ((falling >= each).sum() + (rest + 1) / 2) + better * rest
    return (best, most, entropy + 0.0, -float(np.log2(powers)) + 0.0, guesses)


def _whether(key: AnswerKey, verdict: Verdict) -> Whether:
    truths = key.truths(verdict.question)
    rows: list[tuple[float, float, float, float]] = []
    pairs = zip(
        verdict.subject.tolist(),
        verdict.candidate.tolist(),
        verdict.score.tolist(),
        verdict.prob.tolist(),
        strict=True,
    )
    for subject, candidate, score, prob in pairs:
        if (
            subject not in truths
            or not key.within(subject)
            or key.is_apart(verdict.question, subject, candidate)
        ):
            continue
        rows.append((key.owner(subject), score, prob, candidate in truths[subject]))
    owner, score, prob, holds = np.array(rows, dtype=np.float64).reshape(len(rows), 4).T
    alarm = np.nan_to_num(prob, nan=0.0) >= ALARM
    return Whether(owner.astype(np.int64), score, prob, holds.astype(bool), alarm)


def _how_much(key: AnswerKey, verdict: Verdict) -> HowMuch:
    truths = key.truths(verdict.question)
    rows = [
        (key.owner(subject), score, float(truths[subject][0]))
        for subject, score in zip(verdict.subject.tolist(), verdict.score.tolist(), strict=True)
        if truths.get(subject) and key.owner(subject) >= 0
    ]
    owner, guess, truth = np.array(rows, dtype=np.float64).reshape(len(rows), 3).T
    return HowMuch(owner.astype(np.int64), guess, truth)


def _blind(outcome: Which | Whether | HowMuch, chance: np.random.Generator) -> Which | Whether | HowMuch:
    """Rank by chance over the same questions; a number is guessed by taking another subject's truth."""
    if isinstance(outcome, Which):
        n, among = len(outcome.rank), outcome.among
        rank = np.where(outcome.reachable, 1 + np.floor(chance.random(n) * among), 0.0)
        played = outcome.reachable & (among > 1)
        even, bits = 1 / np.maximum(among, 1), np.log2(np.maximum(among, 1))
        return _acted(
            outcome,
            rank=rank,
            first=(rank == 1).astype(np.float64),
            beats=np.where(played, (among - rank) / np.maximum(among - 1, 1), 0.5),
            posterior=(even, bits, (among + 1) / 2),
            best=np.where(rank == 1, outcome.truth, -1),
        )
    if isinstance(outcome, Whether):
        score = chance.random(len(outcome.score))
        # It claims as many pairs as the attack does.
        claims = int(outcome.alarm.sum())
        alarm = np.zeros(len(score), dtype=bool)
        alarm[np.argsort(-score)[:claims]] = True
        prob = np.full(len(score), outcome.alarm.mean() if len(score) else 0.0)
        return Whether(outcome.owner, score, prob, outcome.holds, alarm)
    return HowMuch(outcome.owner, chance.permutation(outcome.truth), outcome.truth)


def _acted(
    outcome: Which,
    rank: FloatArray,
    first: FloatArray,
    beats: FloatArray,
    posterior: tuple[FloatArray, FloatArray, FloatArray],
    best: Ints,
) -> Which:
    """Put other guesses over the same questions; a posterior only where the attack gave one.

    Args:
        posterior: largest probability, entropy in bits, mean number of guesses.
    """
    unsaid = np.isnan(outcome.top_prob)
    top, bits, guesses = (np.where(unsaid, np.nan, column) for column in posterior)
    # Who is sure that it is none of the candidates is sure of something.
    most = np.where(bits == 0, 1.0, top)
    return replace(
        outcome, rank=rank, ties=outcome.reachable.astype(np.int64), first=first, beats=beats, top_prob=top,
        true_prob=top, most_prob=most, entropy_bits=bits, collision_bits=bits, guessing=guesses, best=best,
        wrong_prob=np.zeros(0),
    )  # fmt: skip


def _oracle(outcome: Which | Whether | HowMuch) -> Which | Whether | HowMuch:
    """Name the truth wherever it is a candidate."""
    if isinstance(outcome, Which):
        sure = outcome.reachable.astype(np.float64)
        return _acted(
            outcome,
            rank=sure,
            first=sure,
            beats=0.5 + sure * (outcome.among > 1) / 2,
            posterior=(sure, 0 * sure, 1 + 0 * sure),
            best=np.where(outcome.reachable, outcome.truth, -1),
        )
    if isinstance(outcome, Whether):
        sure = outcome.holds.astype(np.float64)
        return Whether(outcome.owner, sure, sure, outcome.holds, outcome.holds)
    return HowMuch(outcome.owner, outcome.truth, outcome.truth)
