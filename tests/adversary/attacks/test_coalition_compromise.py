"""Coalition compromise on a ledger written by hand: certain links become guesses, and nothing else does."""

from __future__ import annotations

import numpy as np

from sessionsim.adversary.attacks import coalition_compromise
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.verdict import Question
from tests.adversary.attacks.traffic import account_of, address, view_of

RNG = np.random.default_rng(0)
ATTACK = coalition_compromise.CoalitionCompromise(coalition_compromise.Config())


def fact(client: int, account: int, t_us: int, relation: Relation = Relation.ACTS_FOR) -> Fact:
    return Fact("eve", relation, address(client), account_of(account), t_us, ("row 1",))


def test_what_is_known_is_named_and_the_rest_is_left_open() -> None:
    # Accounts 0 and 1 are served by an operated member; only of 0 it is known who asks.
    view = view_of([1, 2, 3], [0, 1, 2], retrieved=[(5, 0, 3, ""), (6, 1, 3, "")])
    found = ATTACK.infer(view, (fact(2, 0, 9), fact(2, 0, 7)), RNG)
    assert found.question is Question.ADDRESS_OF
    assert found.subject.tolist() == [account_of(0), account_of(1)]
    assert found.candidate.tolist() == [address(2), ""]
    assert found.prob.tolist() == [1.0, 0.0]
    assert found.among.tolist() == [3, 3]
    assert found.t_us[0] == 7  # since when it is known


def test_two_addresses_of_one_account_share_its_probability() -> None:
    view = view_of([1, 2], [0, 1], retrieved=[(5, 0, 3, "")])
    found = ATTACK.infer(view, (fact(0, 0, 9), fact(1, 0, 9)), RNG)
    assert found.candidate.tolist() == [address(0), address(1)]
    assert found.prob.tolist() == [0.5, 0.5]


def test_other_facts_link_nothing() -> None:
    view = view_of([1], [0], retrieved=[(5, 0, 3, "")])
    found = ATTACK.infer(view, (fact(0, 0, 9, Relation.ASKED),), RNG)
    assert found.candidate.tolist() == [""]
    assert len(ATTACK.infer(view_of([1], [0]), (), RNG)) == 0
