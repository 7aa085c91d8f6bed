"""Judging, by hand: ranks with ties and unlisted candidates, posteriors, pairs, floors and ceilings."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from sessionsim.core.scene import Position
from sessionsim.core.verdict import Guess, Labelled, Question, verdict_of
from sessionsim.metrics import Replicate
from sessionsim.metrics._judged import BLIND, ORACLE, SCORED, Judged, Whether, Which, judge, label_of
from tests.metrics.conftest import ADDRESSES, IDS

Make = Callable[..., Replicate]
NAN = float("nan")
A, B, C, D = (f"account:{name}" for name in IDS)


def judged(
    make: Make, guesses: list[Guess], question: Question = Question.SENDER_ADDRESS
) -> dict[str, Judged]:
    messages = [{"sender": 0}, {"sender": 1, "recipient": 0}, {"sender": 2}]
    one = Labelled("try", "kind", "eve", 0, verdict_of(question, guesses))
    return {found.role: found for found in judge(make(messages=messages, verdicts=(one,)))}


def which(make: Make, guesses: list[Guess], role: str = SCORED) -> Which:
    outcome = judged(make, guesses)[role].outcome
    assert isinstance(outcome, Which)
    return outcome


def test_the_best_guess_is_right(make_replicate: Make) -> None:
    found = which(
        make_replicate,
        [Guess("message:h0", ADDRESSES[0], 2, 0.6, 4, 9), Guess("message:h0", ADDRESSES[1], 1, 0.3, 4, 8)],
    )
    assert (found.rank.tolist(), found.first.tolist(), found.beats.tolist()) == ([1], [1], [1])
    assert (found.top_prob.tolist(), found.true_prob.tolist(), found.t_us.tolist()) == ([0.6], [0.6], [9])
    # 0.1 is left for two candidates that are not listed.
    bits = -(0.6 * math.log2(0.6) + 0.3 * math.log2(0.3) + 2 * 0.05 * math.log2(0.05))
    assert found.entropy_bits == pytest.approx([bits])
    assert found.collision_bits == pytest.approx([-math.log2(0.36 + 0.09 + 2 * 0.0025)])
    assert found.guessing == pytest.approx([1 * 0.6 + 2 * 0.3 + 3 * 0.05 + 4 * 0.05])
    assert found.wrong_prob.tolist() == [0.3]
    assert found.best.tolist() == found.truth.tolist()


def test_the_unlisted_are_guessed_where_their_probability_puts_them(make_replicate: Make) -> None:
    found = which(
        make_replicate,
        [Guess("message:h0", ADDRESSES[0], 2, 0.5, 6), Guess("message:h0", ADDRESSES[1], 1, 0.02, 6)],
    )
    # Four unlisted ones of 0.12 each come before the one of 0.02.
    assert found.guessing == pytest.approx([0.5 + 0.12 * (2 + 3 + 4 + 5) + 0.02 * 6])


def test_equal_scores_share_ranks_and_success(make_replicate: Make) -> None:
    found = which(make_replicate, [Guess("message:h0", address, 1, NAN, 4) for address in ADDRESSES])
    assert (found.rank.tolist(), found.first.tolist(), found.beats.tolist()) == ([2.5], [0.25], [0.5])
    assert np.isnan(found.entropy_bits).all()


def test_a_truth_that_is_not_listed_shares_the_ranks_of_the_unlisted(make_replicate: Make) -> None:
    found = which(make_replicate, [Guess("message:h0", ADDRESSES[1], 1, 0.4, 4)])
    assert (found.rank.tolist(), found.first.tolist()) == ([3], [0])
    assert found.beats == pytest.approx([1 / 3])
    assert found.true_prob == pytest.approx([0.2])


def test_no_candidate_at_all_is_a_blind_guess(make_replicate: Make) -> None:
    found = which(make_replicate, [Guess("message:h0", "", 0, 0, 4)])
    assert (found.rank.tolist(), found.first.tolist(), found.beats.tolist()) == ([2.5], [0.25], [0.5])


def test_a_truth_that_is_no_candidate_cannot_be_reached(make_replicate: Make) -> None:
    guesses = [Guess("message:h0", ADDRESSES[k], 1, 0.3, 2) for k in (1, 2)]
    found = which(make_replicate, guesses)
    assert (found.reachable.tolist(), found.first.tolist(), found.beats.tolist()) == ([False], [0], [0.5])
    # All are listed and 0.4 is missing: the outcome "none of these".
    assert found.entropy_bits == pytest.approx([-(2 * 0.3 * math.log2(0.3) + 0.4 * math.log2(0.4))])
    best = which(make_replicate, guesses, ORACLE)
    assert (best.first.tolist(), best.beats.tolist()) == ([0], [0.5])


def test_strangers_and_unmeasured_messages_are_not_judged(make_replicate: Make) -> None:
    found = which(make_replicate, [Guess("message:of a stranger", ADDRESSES[0], 1, 0.5, 4)])
    assert len(found.rank) == 0


def test_floor_and_ceiling_answer_the_same_questions(make_replicate: Make) -> None:
    guesses = [Guess(f"message:h{k}", ADDRESSES[3], 1, 0.5, 4) for k in range(3)]
    roles = judged(make_replicate, guesses)
    assert list(roles) == [SCORED, BLIND, ORACLE]
    blind, oracle = roles[BLIND].outcome, roles[ORACLE].outcome
    assert isinstance(blind, Which)
    assert isinstance(oracle, Which)
    assert blind.owner.tolist() == oracle.owner.tolist() == [0, 1, 2]
    assert oracle.first.tolist() == [1, 1, 1]
    assert blind.entropy_bits.tolist() == [2, 2, 2]
    assert set(blind.rank.tolist()) <= {1, 2, 3, 4}


def test_a_blind_guess_is_right_as_often_as_chance_has_it(make_replicate: Make) -> None:
    messages = [{"sender": 0}] * 4000
    verdict = verdict_of(
        Question.SENDER_ADDRESS, [Guess(f"message:h{k}", ADDRESSES[1], 1, 0.5, 4) for k in range(4000)]
    )
    replicate = make_replicate(messages=messages, verdicts=(Labelled("try", "kind", "eve", 0, verdict),))
    blind = next(one.outcome for one in judge(replicate) if one.role == BLIND)
    assert isinstance(blind, Which)
    assert abs(blind.first.mean() - 0.25) < 4.5 * math.sqrt(0.25 * 0.75 / 4000)
    assert abs(blind.beats.mean() - 0.5) < 4.5 * 0.38 / math.sqrt(4000)


def test_pairs_are_alarms_from_one_half_on(make_replicate: Make) -> None:
    guesses = [
        Guess(A, B, 3, 0.5, 3), Guess(A, C, 2, 0.49, 3), Guess(A, A, 9, 0.9, 3), Guess(B, D, 1, 0.8, 3),
        Guess("account:stranger", B, 1, 0.9, 3),
    ]  # fmt: skip
    roles = judged(make_replicate, guesses, Question.CONTACT)
    found, blind, oracle = (roles[role].outcome for role in (SCORED, BLIND, ORACLE))
    assert isinstance(found, Whether)
    assert isinstance(blind, Whether)
    assert isinstance(oracle, Whether)
    # The account's own inbox and the stranger are not asked about.
    assert found.holds.tolist() == [True, False, False]
    assert found.alarm.tolist() == [True, False, True]
    assert (found.owner.tolist(), blind.alarm.sum()) == ([0, 0, 1], 2)
    assert oracle.alarm.tolist() == found.holds.tolist()


def test_labels_say_how_large_the_world_was() -> None:
    verdict = verdict_of(Question.CONTACT, ())
    assert label_of(Labelled("try", "kind", "eve", 0, verdict), 20) == "try, closed world of 20"
    assert label_of(Labelled("try", "kind", "eve", 1_000_000, verdict), 20) == "try, population 1,000,000"


def test_a_replicate_without_verdicts_has_nothing_to_judge(make_replicate: Make) -> None:
    assert list(judge(make_replicate())) == []


def test_whom_an_observer_cannot_have_seen_is_no_candidate_of_its(make_replicate: Make) -> None:
    guesses = [Guess(f"message:h{k}", ADDRESSES[3], 1, 0.4, 9) for k in range(3)]
    one = Labelled("try", "kind", "isp", 0, verdict_of(Question.SENDER_ADDRESS, guesses))
    places = {"isp": Position(tapped=frozenset({12}), operated=frozenset({2}))}
    messages = [{"sender": 0}, {"sender": 1, "recipient": 0}, {"sender": 2}]
    outcome = next(judge(make_replicate(messages=messages, verdicts=(one,), positions=places))).outcome
    assert isinstance(outcome, Which)
    # Client 0 is tapped, client 1 has guard 2, client 2 is neither.
    assert outcome.reachable.tolist() == [True, True, False]
