"""Disclosure without simulation: published values, small cases by enumeration, a simulation of its own."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from sessionsim.metrics.closed_forms import disclosure


@pytest.mark.parametrize(
    ("case", "rounds"),
    [((20_000, 50, 20, 2), 119.2), ((20_000, 50, 20, 3), 268.3), ((1000, 10, 5, 2), 25.6),
     ((1000, 10, 5, 3), 57.6), ((1000, 100, 20, 2), 777.5)],
)  # fmt: skip
def test_rounds_needed_are_the_published_ones(case: tuple[int, int, int, float], rounds: float) -> None:
    assert disclosure.rounds_needed(*case) == pytest.approx(rounds, abs=0.05)


@pytest.mark.parametrize(
    ("case", "recall", "every"),
    [((1000, 10, 5, 26), 0.875, 0.43), ((1000, 10, 5, 58), 0.996, 0.98), ((1000, 100, 20, 778), 0.888, 0.03)],
)
def test_expected_recall_is_the_published_simulation(
    case: tuple[int, int, int, int], recall: float, every: float
) -> None:
    found = disclosure.found(*case)
    assert found.recall == pytest.approx(recall, abs=0.002)
    assert found.all == pytest.approx(every, abs=0.005)


def enumerated(people: int, contacts: int, rounds: int) -> tuple[float, float]:
    """Average over all histories of rounds with one message of the target's and one of somebody's."""
    recall = every = total = 0.0
    for history in itertools.product(range(contacts), range(people), repeat=rounds):
        counts = np.bincount(history, minlength=people)
        for order in itertools.permutations(range(people)):  # all ways to break ties
            first = sorted(range(people), key=lambda k, c=counts, o=order: (-c[k], o[k]))[:contacts]  # type: ignore[misc]
            hits = sum(k < contacts for k in first)
            recall += hits / contacts
            every += hits == contacts
            total += 1
    return recall / total, every / total


@pytest.mark.parametrize("case", [(4, 1, 1), (4, 1, 2), (4, 2, 2), (5, 2, 2), (5, 1, 3)])
def test_small_cases_by_enumeration(case: tuple[int, int, int]) -> None:
    people, contacts, rounds = case
    assert disclosure.small_enough(people, 2, contacts, rounds)
    found = disclosure.found(people, 2, contacts, rounds)
    assert found == pytest.approx(enumerated(people, contacts, rounds), abs=1e-9)


def test_large_cases_agree_with_small_ones_to_a_quarter_of_one_over_n(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for case in ((20, 2, 3, 10), (100, 3, 2, 5), (12, 4, 4, 10)):
        exact = disclosure.found(*case)
        with monkeypatch.context() as patch:
            patch.setattr(disclosure, "small_enough", lambda *_: False)
            near = disclosure.found(*case)
        assert near == pytest.approx(exact, abs=0.25 / case[0])
        assert near != exact


def test_one_contact_of_a_lone_target_is_always_found() -> None:
    assert disclosure.found(2000, 2, 1, 40).recall == pytest.approx(1, abs=1e-6)


def test_squared_error_of_least_squares_comes_out_in_simulation() -> None:
    rng = np.random.default_rng(1)
    sent = rng.multinomial(6, np.full(8, 1 / 8), size=60)
    profiles = rng.dirichlet(np.ones(10), size=8)
    expected = disclosure.least_squares_error(sent, profiles)
    errors = []
    for _ in range(400):
        received = np.array(
            [sum(rng.multinomial(n, p) for n, p in zip(row, profiles, strict=True)) for row in sent]
        )
        errors.append(((np.linalg.lstsq(sent, received, rcond=None)[0] - profiles) ** 2).sum(axis=1))
    assert np.mean(errors, axis=0) == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(("tau", "one", "hundredth"), [(1, 1.85, 2.47), (10, 2.68, 3.57)])
def test_epochs_of_sealed_senders_are_the_published_ones(tau: float, one: float, hundredth: float) -> None:
    p = disclosure.presence_prob(50, tau)
    assert disclosure.epochs_needed(10**6, p, 1) == pytest.approx(one, abs=0.01)
    assert disclosure.epochs_needed(10**6, p, 0.01) == pytest.approx(hundredth, abs=0.01)


@pytest.mark.parametrize(("difference", "epochs"), [(1, 74), (0.5, 295), (0.25, 1179)])
def test_sufficient_epochs_are_the_published_ones(difference: float, epochs: int) -> None:
    assert math.ceil(disclosure.sufficient_epochs(10**6, 0.01, difference)) == epochs


def test_being_alone_at_the_ends() -> None:
    assert disclosure.alone_after(5, 0.3, 0) == 0
    assert disclosure.alone_after(0, 0.3, 0) == 1
    assert disclosure.alone_after(2, 0.5, 1) == pytest.approx(0.25)
