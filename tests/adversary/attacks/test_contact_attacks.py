"""Attacks on who talks to whom: coincidences of stores, epochs, rounds, by hand and by chance."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary.attacks import (
    co_occurrence,
    fan_out,
    intersection,
    least_squares_disclosure,
    normalised_disclosure,
    sealed_sender,
    statistical_disclosure,
    two_sided_disclosure,
)
from sessionsim.adversary.attacks._coincidences import (
    chance_of,
    false_discovery_rates,
    near_pairs,
    pair_counts,
)
from sessionsim.adversary.attacks._rounds import RoundChoice, rounds_with_answers
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View
from tests.adversary.attacks.traffic import N_NODES, account_of, address, view_of

S = 1_000_000
RNG = np.random.default_rng(0)


def test_near_pairs_and_their_counts_by_hand() -> None:
    one, other = near_pairs(np.array([0.0, 1, 1.5, 9]), np.array([0, 1]), 1.5)
    assert list(zip(one.tolist(), other.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 0), (1, 2)]
    of, with_, counts = pair_counts(np.array([5, 2, 5, 2]), one, other, 9)
    assert (of.tolist(), with_.tolist(), counts.tolist()) == ([2, 5], [5, 2], [2, 1])


def test_false_discovery_rates_by_hand() -> None:
    # Benjamini and Hochberg: p * tests / rank, made monotone from the largest down.
    found = false_discovery_rates(np.array([0.01, 0.04, 0.03, 0.5]), 4)
    assert found == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert false_discovery_rates(np.array([0.01]), 100).tolist() == [1.0]


def test_chance_is_poisson() -> None:
    assert chance_of(np.array([1, 2]), np.array([0.1, 0.1])) == pytest.approx(
        [1 - np.exp(-0.1), 1 - np.exp(-0.1) * 1.1]
    )


def talk(seed: int, related: bool = True, scattered: bool = False) -> tuple[View, Example]:
    """Six pairs 2k and 2k+1 write to each other; each message also goes into the own inbox, as a sync copy.

    Args:
        related: whether sync copies follow the messages at all.
        scattered: whether everybody writes to everybody instead.
    """
    pairs, hours = 6, 1.0
    rng = np.random.default_rng(seed)
    when, client, stored = list[float](), list[int](), list[tuple[Any, ...]]()
    number = 0
    for k in range(2 * pairs):
        for t in np.sort(rng.uniform(0, hours * 3600, 25)):
            apart = scattered or not related
            other = int(rng.choice([j for j in range(2 * pairs) if j != k])) if apart else k ^ 1
            delay = rng.gamma(4, 0.1, 2)
            when += [t, t + 0.3]
            client += [k, k]
            elsewhere = t if related else rng.uniform(0, hours * 3600)
            size = int(500 + 160 * rng.integers(4))
            stored.append((int((t + delay[0]) * S), other, number, size, True))
            stored.append((int((elsewhere + 0.3 + delay[1]) * S), k, number + 1, size, True))
            number += 2
    order = np.argsort(when, kind="stable")
    view = view_of((np.array(when) * S).astype(int)[order], np.array(client)[order], stored=stored)
    kinds = {f"row:{k}": ("kind:message",) for k in range(len(when))}
    contact = {account_of(k): (account_of(k ^ 1),) for k in range(2 * pairs)}
    writes = {address(k): (account_of(k ^ 1),) for k in range(2 * pairs)}
    owner = {address(k): (account_of(k),) for k in range(2 * pairs)}
    labels = {
        Question.EVENT_KIND: kinds, Question.CONTACT: contact, Question.CONTACT_OF_ADDRESS: writes,
        Question.ACCOUNT_OF: owner, Question.SENDER_ADDRESS: {},
    }  # fmt: skip
    return view, Example(view, (), labels, {})


def number_of(term: object) -> int:
    text = str(term)
    return int(text[-8:], 16) if text.startswith("account") else int(text.rpartition("-")[2]) - N_NODES


def found_partner(found: Verdict, skip_own: bool = False) -> float:
    """Share of subjects whose best other candidate is their partner."""
    hits = []
    for subject in dict.fromkeys(found.subject.tolist()):
        mine = np.flatnonzero(found.subject == subject)
        mine = mine[np.argsort(-found.score[mine], kind="stable")]
        others = [
            k for k in mine.tolist() if not skip_own or number_of(found.candidate[k]) != number_of(subject)
        ]
        hits.append(bool(others) and number_of(found.candidate[others[0]]) == number_of(subject) ^ 1)
    return float(np.mean(hits))


@pytest.mark.parametrize("kind", [co_occurrence.CoOccurrence, fan_out.FanOut])
def test_inboxes_of_a_conversation_are_found_and_others_are_not(kind: Any) -> None:
    config = fan_out.Config() if kind is fan_out.FanOut else co_occurrence.Config()
    found = kind(config).infer(talk(1)[0], (), RNG)
    assert found_partner(found) == 1
    alarms = found.prob >= 0.5
    partner = np.array(
        [number_of(a) ^ 1 == number_of(b) for a, b in zip(found.subject, found.candidate, strict=True)]
    )
    assert alarms[partner].all()
    assert alarms[~partner].mean() < 0.02


def test_unrelated_inboxes_raise_as_few_alarms_as_the_level_allows() -> None:
    attack = co_occurrence.CoOccurrence(co_occurrence.Config())
    alarms = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        stored = [
            (int(rng.uniform(0, 3600) * S), k, 100 * k + i, 500, True) for k in range(12) for i in range(40)
        ]
        alarms.append(bool((attack.infer(view_of(stored=stored), (), RNG).prob >= 0.5).any()))
    assert np.mean(alarms) <= 3 / 12  # a false family in twenty


def test_sealed_sender_ranks_the_partner_first_and_claims_it() -> None:
    attack = sealed_sender.SealedSender(sealed_sender.Config())
    attack.fit([talk(2)[1]])
    found = attack.infer(talk(1)[0], (), np.random.default_rng(5))
    assert found_partner(found) == 1
    best = found.prob[np.unique(found.subject.astype(str), return_index=True)[1]]
    assert best.min() > 0.5


def test_intersection_leaves_the_own_account_and_says_since_when() -> None:
    attack = intersection.Intersection(intersection.Config())
    attack.fit([talk(2)[1]])
    view, example = talk(1, scattered=True)
    found = attack.infer(view, (), RNG)
    alone = found.prob == 1
    assert alone.mean() > 0.5
    for subject, candidate, t_us in zip(
        found.subject[alone], found.candidate[alone], found.t_us[alone], strict=True
    ):
        assert example.labels[Question.ACCOUNT_OF][subject] == (candidate,)
        assert 0 < t_us <= 3700 * S


def test_intersection_cannot_tell_two_who_only_write_to_each_other() -> None:
    attack = intersection.Intersection(intersection.Config())
    found = attack.infer(talk(1)[0], (), RNG)
    assert set(found.prob.tolist()) == {0.5}
    assert {
        number_of(a) // 2 == number_of(b) // 2 for a, b in zip(found.subject, found.candidate, strict=True)
    } == {True}


def test_intersection_by_hand() -> None:
    # Client 0 sends at 0 s and 100 s; inboxes 5 and 6 fill after the first, 6 and 7 after the second.
    stored = [(1 * S, 5, 1, 500, True), (2 * S, 6, 2, 500, True), (101 * S, 6, 3, 500, True),
              (102 * S, 7, 4, 500, True)]  # fmt: skip
    found = intersection.Intersection(intersection.Config()).infer(
        view_of([0, 100 * S], [0, 0], stored=stored), (), RNG
    )
    assert (found.subject.tolist(), found.candidate.tolist()) == ([address(0)], [account_of(6)])
    assert (found.prob.tolist(), found.among.tolist(), found.t_us.tolist()) == ([1], [3], [105 * S])
    nobody = intersection.Intersection(intersection.Config()).infer(
        view_of([0, 100 * S], [0, 0], stored=stored[:2]), (), RNG
    )
    assert (nobody.candidate.tolist(), nobody.prob.tolist()) == ([""], [0])


DISCLOSURES: dict[str, Any] = {
    "plain": lambda: statistical_disclosure.StatisticalDisclosure(RoundChoice()),
    "least squares": lambda: least_squares_disclosure.LeastSquaresDisclosure(
        least_squares_disclosure.Config()
    ),
    "normalised": lambda: normalised_disclosure.NormalisedDisclosure(normalised_disclosure.Config()),
}


@pytest.mark.parametrize("name", DISCLOSURES)
def test_disclosure_finds_the_partner_behind_the_own_inbox(name: str) -> None:
    attack = DISCLOSURES[name]()
    attack.fit([talk(2)[1]])
    assert found_partner(attack.infer(talk(1)[0], (), RNG), skip_own=True) > 0.9
    chance = [
        found_partner(attack.infer(talk(seed, related=False)[0], (), RNG), skip_own=True)
        for seed in range(10, 14)
    ]
    assert np.mean(chance) < 0.3


def with_answers(view: View, t_us: np.ndarray, client: np.ndarray, wire: np.ndarray) -> View:
    """Put answers into a view of requests, in order of time."""
    more = view_of(t_us, client, wire, answers=True).rows
    rows = {name: np.concatenate([view.rows[name], more[name]]) for name in view.rows}
    order = np.argsort(rows["t_us"], kind="stable")
    return dataclasses.replace(view, rows={name: column[order] for name, column in rows.items()})


def test_two_sided_disclosure_needs_links_only() -> None:
    rng = np.random.default_rng(3)
    when, client, full, whose = list[float](), list[int](), list[float](), list[int]()
    for k in range(10):
        for t in np.sort(rng.uniform(0, 3600, 30)):
            when += [t]
            client += [k]
            full += [t + rng.uniform(1, 4)]
            whose += [k ^ 1]
    order = np.argsort(when)
    view = view_of((np.array(when) * S).astype(int)[order], np.array(client)[order])
    empty = rng.uniform(0, 3600, 3000)
    view = with_answers(
        view,
        (np.r_[full, empty] * S).astype(int),
        np.r_[whose, rng.integers(10, size=3000)],
        np.r_[np.full(len(full), 2000), np.full(3000, 800)],
    )
    rounds = rounds_with_answers(view, None, 5 * S)
    assert rounds is not None
    assert rounds.received.sum() == len(full)  # only the larger answers count
    found = two_sided_disclosure.TwoSidedDisclosure(RoundChoice()).infer(view, (), RNG)
    assert found.question is Question.CONTACT_ADDRESS
    assert found_partner(found) > 0.9
