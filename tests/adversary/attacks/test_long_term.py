"""Disclosure, intersection and their kin on rounds small enough to see through, and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.adversary.attacks._intersection import epochs_until_alone, intersection
from sessionsim.adversary.attacks._least_squares_disclosure import least_squares_disclosure
from sessionsim.adversary.attacks._normalised_disclosure import doubly_scaled, normalised_disclosure
from sessionsim.adversary.attacks._perfect_matching import perfect_matching
from sessionsim.adversary.attacks._random_guess import random_guess
from sessionsim.adversary.attacks._sealed_sender import sealed_sender_scores
from sessionsim.adversary.attacks._statistical_disclosure import (
    statistical_disclosure,
    statistical_disclosures,
)
from sessionsim.adversary.attacks._two_sided_disclosure import two_sided_disclosure, two_sided_disclosures
from sessionsim.core.errors import LocalProtocolError


def recall(scores: np.ndarray, contacts: int, rng: np.random.Generator) -> float:
    order = np.lexsort((rng.random(len(scores)), -scores))
    return float((order[:contacts] < contacts).mean())


def test_disclosure_by_hand() -> None:
    # Two rounds with the target, two without; batches of two.
    received = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 2, 0]])
    v = statistical_disclosure([1, 1, 0, 0], received)
    # mean (1, .5, .5); background 0, 3/4, 1/4 of one message.
    assert v == pytest.approx([1.0, -0.25, 0.25])
    assert statistical_disclosure([1, 1, 0, 0], received, np.full(3, 1 / 3)) == pytest.approx(
        [2 / 3, 1 / 6, 1 / 6]
    )
    with pytest.raises(LocalProtocolError):
        statistical_disclosure([0, 0, 0, 0], received)
    with pytest.raises(LocalProtocolError):
        statistical_disclosure([1, 1], received)


def test_a_popular_recipient_fools_frequency_and_not_disclosure() -> None:
    rng = np.random.default_rng(1)
    popular = np.array([0.02] * 10 + [0.8])
    active = rng.random(400) < 0.5
    received = rng.multinomial(9, popular, size=400)
    received[active, 0] += 1
    received[~active] += rng.multinomial(1, popular, size=(~active).sum())
    assert received[active].sum(axis=0).argmax() == 10  # the naive answer
    assert statistical_disclosure(active, received).argmax() == 0


def conversation(rounds: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Rounds in which the target now and then writes to one of three, who often answer in the next round."""
    people = 60
    received, sent = (rng.multinomial(12, np.full(people, 1 / people), size=rounds) for _ in range(2))
    sends, gets = np.zeros(rounds, bool), np.zeros(rounds, bool)
    for r in range(rounds - 1):
        if rng.random() < 0.4:
            contact = rng.integers(3)
            sends[r] = True
            received[r, contact] += 1
            if rng.random() < 0.8:
                gets[r + 1] = True
                sent[r + 1, contact] += 1
    return sends, received, gets, sent


def test_answers_help_where_one_side_is_not_enough() -> None:
    rng = np.random.default_rng(2)
    one, two = [], []
    for _ in range(60):
        sends, received, gets, sent = conversation(60, rng)
        one.append(recall(statistical_disclosure(sends, received), 3, rng))
        two.append(recall(two_sided_disclosure(sends, received, gets, sent), 3, rng))
    assert np.mean(two) > np.mean(one) + 0.08
    silent = np.zeros(60, bool)
    assert (two_sided_disclosure(silent, received, silent, sent) == 0).all()


def world(
    senders: int, rounds: int, batch: int, contacts: int, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    friends = np.array([rng.permutation(senders)[:contacts] for _ in range(senders)])
    who = rng.integers(senders, size=(rounds, batch))
    whom = friends[who, rng.integers(contacts, size=who.shape)]
    count = [np.array([np.bincount(row, minlength=senders) for row in side]) for side in (who, whom)]
    return friends, who, whom, *count


def test_least_squares_recovers_profiles_exactly_without_noise() -> None:
    rng = np.random.default_rng(3)
    sent, profile = rng.integers(0, 5, (30, 6)), rng.dirichlet(np.ones(7), size=6)
    assert least_squares_disclosure(sent, sent @ profile) == pytest.approx(profile)
    shares = least_squares_disclosure(sent, sent @ profile, nonnegative=True)
    assert shares == pytest.approx(profile, abs=1e-6)
    assert shares.sum(axis=1) == pytest.approx(1)
    with pytest.raises(LocalProtocolError):
        least_squares_disclosure(sent, profile)


def test_nonnegative_shares_are_nearer_with_few_rounds() -> None:
    rng = np.random.default_rng(4)
    friends, _, _, sent, received = world(30, 60, 8, 3, rng)
    truth = np.zeros((30, 30))
    np.put_along_axis(truth, friends, 1 / 3, axis=1)
    free, kept = (least_squares_disclosure(sent, received, nonnegative=flag) for flag in (False, True))
    assert ((kept - truth) ** 2).sum() < ((free - truth) ** 2).sum()
    assert kept.min() >= 0


def test_normalising_rounds_improves_plain_profiles() -> None:
    rng = np.random.default_rng(5)
    friends, who, whom, sent, received = world(30, 100, 8, 3, rng)
    plain = np.array([statistical_disclosure(sent[:, k] > 0, received) for k in range(30)])
    better = normalised_disclosure(list(zip(who, whom, strict=True)), plain, passes=3)
    assert better.sum(axis=1) == pytest.approx(1, abs=1e-6)

    def hits(profiles: np.ndarray) -> float:
        first = np.argsort(-profiles, axis=1)[:, :3]
        return float(
            np.mean([len(set(a) & set(b)) / 3 for a, b in zip(first.tolist(), friends.tolist(), strict=True)])
        )

    assert hits(better) > hits(plain) + 0.05


def test_scaling_makes_rows_and_columns_sum_to_one() -> None:
    scaled = doubly_scaled(np.random.default_rng(6).random((5, 5)) + 0.1, 200)
    assert scaled.sum(axis=0) == pytest.approx(1)
    assert scaled.sum(axis=1) == pytest.approx(1)


def test_matching_decides_jointly_where_single_decisions_collide() -> None:
    score = np.array([[0.0, -1.0], [-0.1, -5.0]])
    assert score.argmax(axis=1).tolist() == [0, 0]
    assert perfect_matching(score).tolist() == [1, 0]
    assert perfect_matching([[0.0, -np.inf], [-np.inf, 0.0]]).tolist() == [0, 1]


def test_intersection_by_hand() -> None:
    left = intersection([[3, 1, 2, 2], [2, 3, 9], [3, 4], [8]])
    assert [x.tolist() for x in left] == [[1, 2, 3], [2, 3], [3], []]
    assert epochs_until_alone(left) == 3
    assert epochs_until_alone(left[:2]) == -1
    assert intersection([]) == []


def test_sealed_sender_survives_the_loss_that_ends_intersection() -> None:
    rng = np.random.default_rng(7)
    moments, elsewhere = np.arange(100) * 10.0, np.arange(100) * 10.0 + 5
    answered = rng.random(100) < 0.7  # the partner misses three in ten epochs
    noise = np.sort(rng.uniform(0, 1000, 6000))
    who = rng.integers(1, 40, 6000)
    stored = np.concatenate([noise, moments[answered] + 0.5])
    inbox = np.concatenate([who, np.zeros(answered.sum(), int)])
    order = np.argsort(stored)
    scores = sealed_sender_scores(inbox[order], stored[order], moments, elsewhere, 1.0, 40)
    assert scores.argmax() == 0
    assert scores[0] == answered.sum()
    assert abs(scores[1:].mean()) < 3
    epochs = [inbox[(stored > t) & (stored <= t + 1)] for t in moments]
    assert 0 not in intersection(epochs)[-1]


def test_an_inbox_counts_once_an_epoch() -> None:
    scores = sealed_sender_scores([0, 0, 1], [1.1, 1.2, 7.1], [1.0], [7.0], 1.0, 3)
    assert scores.tolist() == [1, -1, 0]
    with pytest.raises(LocalProtocolError):
        sealed_sender_scores([0, 1], [2.0, 1.0], [], [], 1, 2)


def test_a_guess_depends_on_its_seed_only() -> None:
    a, b = (random_guess((3, 4), np.random.default_rng(1)) for _ in range(2))
    assert (a == b).all()
    assert a.shape == (3, 4)


def test_many_targets_at_once_score_as_one_by_one() -> None:
    rng = np.random.default_rng(5)
    sent, received = rng.poisson(0.3, (40, 6)).astype(float), rng.poisson(0.4, (40, 7)).astype(float)
    sends, gets = sent > 0, rng.random((40, 6)) < 0.3
    sends[:, 5] = False  # somebody who never sent
    for row in range(5):
        one = sends[:, row]
        rest, seen = received[~one].sum(axis=0), received[one]
        by_hand = seen.mean(axis=0) - (seen.sum(axis=1).mean() - 1) * rest / rest.sum()
        assert statistical_disclosures(sends, received)[row] == pytest.approx(by_hand)
        assert statistical_disclosure(one, received) == pytest.approx(by_hand)
    both = two_sided_disclosures(sends, received[:, :6], gets, sent)
    for row in range(6):
        alone = two_sided_disclosure(sends[:, row], received[:, :6], gets[:, row], sent)
        assert both[row] == pytest.approx(alone)
    assert not statistical_disclosures(sends, received)[5].any()
