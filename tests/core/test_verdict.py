from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.verdict import Form, Guess, Question, Secret, Verdict, texts, verdict_of


def test_every_question_belongs_to_a_secret_and_has_a_form() -> None:
    for question in Question:
        facts = question.facts
        assert isinstance(facts.secret, Secret)
        assert (facts.unit != "") == (facts.form is Form.HOW_MUCH)
        assert facts.subject in ("message", "account", "addr", "row", "blinded")
        assert facts.words == facts.words.strip()


def test_guesses_become_columns_in_their_order() -> None:
    made = verdict_of(
        Question.SENDER_ADDRESS,
        [Guess("message:b", "addr:1", 0.25, 0.25, 4, 7), Guess("message:a", "addr:2", 0.5, 0.5, 4)],
    )
    assert made.subject.tolist() == ["message:b", "message:a"]
    assert (made.prob.tolist(), made.among.tolist(), made.t_us.tolist()) == ([0.25, 0.5], [4, 4], [7, -1])
    assert len(made) == 2


def test_no_guesses_make_an_empty_verdict() -> None:
    assert len(verdict_of(Question.CONTACT, ())) == 0


@pytest.mark.parametrize(
    "guesses",
    [
        [Guess("message:a", "addr:1", 1, 0.7, 2), Guess("message:a", "addr:2", 1, 0.4, 2)],
        [Guess("message:a", "addr:1", 1, -0.1, 2)],
        [Guess("message:a", "addr:1", 1, 1.1, 2)],
        [Guess("message:a", "addr:1", float("nan"), 0.5, 2)],
    ],
)
def test_impossible_probabilities_are_refused(guesses: list[Guess]) -> None:
    with pytest.raises(LocalProtocolError):
        verdict_of(Question.SENDER_ADDRESS, guesses)


def test_pairs_of_one_subject_may_all_be_likely() -> None:
    pairs = [Guess("account:a", f"account:{k}", 1, 0.9, 3) for k in range(3)]
    assert len(verdict_of(Question.CONTACT, pairs)) == 3


def test_columns_of_unequal_length_are_refused() -> None:
    one = np.ones(1)
    with pytest.raises(LocalProtocolError, match="lengths"):
        Verdict(Question.CONTACT, texts(["a", "b"]), texts(["c"]), one, one, one.astype(int), one.astype(int))
