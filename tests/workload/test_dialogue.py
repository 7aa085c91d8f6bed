import dataclasses
import itertools
import math

import numpy as np
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.workload.contacts import Circle
from sessionsim.workload.dialogue import Dialogue, Utterance
from sessionsim.workload.fits import MANNER, SAME_CONTACT_PROB
from sessionsim.workload.laws import LogNormal, Manner, Mixture

DAY_S = 86_400.0
# Longer than practically every answer, much shorter than the 40 years between rare own moments.
ANSWER_S = 1e7
SLOWNESS = 0.05
# Own moments so far apart that only answers follow each other.
RARE = dataclasses.replace(MANNER, own_gap=Mixture(0.0, LogNormal(0.0, 0.1), LogNormal(24.0, 0.1)))


def _pair(*others: tuple[int, int]) -> list[Circle]:
    """Everybody knows one person; several disjoint pairs."""
    circles = {a: b for pair in ((0, 1), *others) for a, b in (pair, pair[::-1])}
    return [Circle((circles[a],), (1.0,), 0.0) for a in sorted(circles)]


def _talk(circles: list[Circle], days: float, seed: int = 1, manner: Manner = MANNER) -> list[Utterance]:
    dialogue = Dialogue(circles, [None] * len(circles), SLOWNESS, Seeds(seed), 0.0, manner)
    return list(dialogue.until(days * DAY_S))


def test_messages_are_in_time_order_between_contacts() -> None:
    said = _talk(_pair((2, 3)), 30)
    assert len(said) > 100
    assert all(a.t_s <= b.t_s for a, b in itertools.pairwise(said))
    assert {(u.sender, u.recipient) for u in said} == {(0, 1), (1, 0), (2, 3), (3, 2)}


def test_stranger_pair_changes_nothing() -> None:
    alone = _talk(_pair(), 30)
    assert alone == [u for u in _talk(_pair((2, 3)), 30) if u.sender < 2]


def test_longer_dialogue_begins_like_the_shorter_one() -> None:
    short = _talk(_pair(), 10)
    assert _talk(_pair(), 20)[: len(short)] == short


def test_people_without_contacts_are_silent() -> None:
    assert _talk([Circle((), (), 0.0)] * 2, 1000) == []
    assert {u.sender for u in _talk([*_pair(), Circle((), (), 0.0)], 30)} == {0, 1}


def test_messages_are_answered_with_the_set_probability() -> None:
    """Own moments are so rare that what follows a message soon is its answer."""
    said = _talk(_pair(), 3e7, manner=RARE)
    answered = [a.sender != b.sender and b.t_s - a.t_s < ANSWER_S for a, b in itertools.pairwise(said)]
    assert len(said) > 3000
    assert np.mean(answered) == pytest.approx(MANNER.answer_prob, abs=0.03)


def test_answers_come_after_the_set_delays() -> None:
    said = _talk(_pair(), 3e7, manner=RARE)
    delays = np.sort(
        [
            b.t_s - a.t_s
            for a, b in itertools.pairwise(said)
            if a.sender != b.sender and b.t_s - a.t_s < ANSWER_S
        ]
    )
    law = MANNER.answer_delay.with_long_scaled(SLOWNESS)
    expected = np.array([law.below(delay) for delay in delays])
    # Kolmogorov-Smirnov at 1 %: 1.63 / sqrt(n).
    distance = np.max(np.abs(expected - (np.arange(len(delays)) + 0.5) / len(delays)))
    assert distance < 1.63 / np.sqrt(len(delays))


def test_within_a_session_most_go_on_with_the_same_contact() -> None:
    contacts = tuple(range(1, 21))
    circles = [Circle(contacts, tuple(float(k) for k in contacts), 0.0)] + [Circle((0,), (1.0,), -20.0)] * 20
    burst = Mixture(1.0, LogNormal(0.0, 0.5), LogNormal(14.0, 0.1))  # a message a second
    manner = dataclasses.replace(MANNER, own_gap=burst)
    stays: list[bool] = []
    for seed in range(120):
        dialogue = Dialogue(circles, [None] * 21, SLOWNESS, Seeds(seed), 0.0, manner)
        said = itertools.islice((u for u in dialogue.until(math.inf) if u.sender == 0), 9)
        stays += [a.recipient == b.recipient for a, b in itertools.pairwise(list(said))]
    # Choosing anew meets the same of twenty contacts by chance.
    assert np.mean(stays) == pytest.approx(SAME_CONTACT_PROB + (1 - SAME_CONTACT_PROB) / 20, abs=0.05)


def test_answer_goes_to_the_one_it_is_owed_to() -> None:
    """Person 1 has two contacts and hardly ever writes unasked."""
    circles = [Circle((1,), (1.0,), 0.0), Circle((0, 2), (1.0, 2.0), 0.0), Circle((1,), (1.0,), 0.0)]
    said = _talk(circles, 3e7, manner=RARE)
    heard: dict[int, int] = {}
    mistaken = answers = 0
    last_s = 0.0
    for u in said:
        if u.t_s - last_s > ANSWER_S:
            heard.clear()  # whoever wrote last in an earlier exchange is not owed anything now
        elif u.sender == 1:
            answers += 1
            mistaken += u.recipient not in heard
        if u.recipient == 1:
            heard[u.sender] = 1
        last_s = u.t_s
    assert answers > 300
    # A rare own moment may fall beside an answer; answers to anybody would miss in a third of the cases.
    assert mistaken / answers < 0.03
