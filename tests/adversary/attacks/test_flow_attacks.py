"""Attacks that compare flows: each on a copy, on strangers, and by a hand-made case."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary.attacks import cross_correlation, packet_counting, poll_timing, predecessor
from sessionsim.adversary.attacks._claims import Claims, claimed, learn_claims
from sessionsim.adversary.attacks._events import FIRST_STRANGER
from sessionsim.adversary.attacks._flows import flows_of_addresses, learn_spoken, rounds_of
from sessionsim.core.verdict import Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View
from tests.adversary.attacks.traffic import account_of, address, view_of

S = 1_000_000
RNG = np.random.default_rng(0)
ATTACKS: dict[str, Any] = {
    "packet-counting": packet_counting.PacketCounting(packet_counting.Config()),
    "cross-correlation": cross_correlation.CrossCorrelation(cross_correlation.Config()),
    "poll-timing": poll_timing.PollTiming(poll_timing.Config()),
}


def traffic(seed: int, clients: int = 12, related: bool = True) -> tuple[View, Example]:
    """Clients that send now and then, and poll five seconds after each answer; account k is at address k."""
    rng = np.random.default_rng(seed)
    when, client, wire = list[float](), list[int](), list[int]()
    stored, retrieved = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    for k in range(clients):
        sends = np.sort(rng.uniform(0, 300, rng.integers(15, 45)))
        polls = polling(rng)
        when += [*sends, *polls]
        client += [k] * (len(sends) + len(polls))
        wire += [2000] * len(sends) + [3000] * len(polls)
        base = sends if related else np.sort(rng.uniform(0, 300, len(sends)))
        stored += [(int((t + rng.gamma(4, 0.1)) * S), k, 1000 * k + i, 500, True) for i, t in enumerate(base)]
        served = polls[::5] if related else rng.uniform(0, 300, len(polls[::5]))
        retrieved += [(int((t + 0.2 + rng.gamma(4, 0.05)) * S), k, 3, "") for t in served]
    order = np.argsort(when, kind="stable")
    view = view_of(
        (np.array(when) * S).astype(int)[order], np.array(client)[order], np.array(wire)[order],
        stored=stored, retrieved=retrieved,
    )  # fmt: skip
    sizes = np.array(wire)[order].tolist()
    kinds = {f"row:{k}": ("kind:message" if size == 2000 else "kind:poll",) for k, size in enumerate(sizes)}
    owners = {account_of(k): (address(k),) for k in range(clients)}
    labels = {Question.EVENT_KIND: kinds, Question.ADDRESS_OF: owners, Question.SENDER_ADDRESS: {}}
    return view, Example(view, (), labels, {})


def polling(rng: np.random.Generator) -> np.ndarray:
    """Times of polls whose gaps are five seconds and the time that an answer took."""
    polls: np.ndarray = rng.uniform(0, 5) + np.cumsum(5 + rng.gamma(4, 0.1, 54))
    return polls


def right(found: Verdict) -> float:
    first = np.unique(found.subject.astype(str), return_index=True)[1]
    hits = [found.candidate[k] == address(int(str(found.subject[k])[-8:], 16)) for k in first.tolist()]
    return float(np.mean(hits))


@pytest.mark.parametrize("name", ATTACKS)
def test_it_finds_owners_and_not_strangers(name: str) -> None:
    attack = ATTACKS[name]
    attack.fit([traffic(1)[1], traffic(2)[1]])
    related = np.mean([right(attack.infer(traffic(seed)[0], (), RNG)) for seed in (3, 4, 5)])
    strange = np.mean(
        [right(attack.infer(traffic(seed, related=False)[0], (), RNG)) for seed in range(3, 11)]
    )
    assert related > {"packet-counting": 0.5, "cross-correlation": 0.7, "poll-timing": 0.99}[name]
    assert strange < 0.25  # one in twelve by chance


@pytest.mark.parametrize("name", ATTACKS)
def test_what_it_claims_comes_true_about_as_often(name: str) -> None:
    attack = ATTACKS[name]
    attack.fit([traffic(seed)[1] for seed in range(20, 26)])
    claims, hits = [], []
    for seed in range(30, 40):
        found = attack.infer(traffic(seed)[0], (), RNG)
        first = np.unique(found.subject.astype(str), return_index=True)[1]
        claims.append(float(found.prob[first].mean()))
        hits.append(right(found))
    assert abs(np.mean(claims) - np.mean(hits)) < 0.12


def test_polls_of_many_strangers_do_not_drown_the_right_one() -> None:
    attack = ATTACKS["poll-timing"]
    attack.fit([traffic(1)[1]])
    view = traffic(3)[0]
    rng = np.random.default_rng(9)
    n = 400
    when = np.concatenate([polling(rng) for _ in range(n)])
    client = FIRST_STRANGER + np.repeat(np.arange(n), len(when) // n)
    order = np.argsort(when)
    requests = {
        "t_us": (when * S).astype(int)[order], "client": client[order],
        "wire_bytes": np.full(len(when), 3000),
    }  # fmt: skip
    wide = dataclasses.replace(view, background={"requests": requests, "people": {"clients": np.array([n])}})
    found = attack.infer(wide, (), RNG)
    assert right(found) > 0.9
    assert found.among.max() == n + 12


def test_without_training_poll_timing_says_nothing() -> None:
    attack = poll_timing.PollTiming(poll_timing.Config())
    assert len(attack.infer(traffic(1)[0], (), RNG)) == 0


def test_sizes_that_carry_messages_are_learned() -> None:
    view, example = traffic(1)
    assert learn_spoken([example]) == frozenset({2000})
    flows = flows_of_addresses(view, frozenset({2000}))
    assert flows.names.tolist() == [address(k) for k in range(12)]
    assert sum(map(len, flows.times_s)) == int((view.rows["wire_bytes"] == 2000).sum())
    assert all(np.all(np.diff(times) >= 0) for times in flows.times_s)


def test_rounds_count_what_falls_into_them() -> None:
    found = rounds_of(np.array([0, 1, 1, 0]), np.array([5, 10, 19, 99]), 5, 10, 2, 2)
    assert found.tolist() == [[1, 1], [0, 1]]


def test_claims_never_fall_and_are_never_certain() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(size=4000)
    claims = learn_claims(score, rng.random(4000) < 1 / (1 + np.exp(-2 * score)))
    assert claims is not None
    grid = np.linspace(-5, 5, 101)
    assert np.all(np.diff(claims(grid)) >= 0)
    assert claims(grid).min() > 0
    assert claims(grid).max() < 1
    assert claims(np.array([0.0]))[0] == pytest.approx(0.5, abs=0.08)
    assert learn_claims([1.0, 2.0], [True, True]) is None
    assert learn_claims([], []) is None


def test_claims_are_shared_by_more_candidates() -> None:
    claims = Claims(np.array([0.0, 1.0]), np.array([0.2, 0.8]), among=10)
    guesses = [
        Guess("account:a", "addr:1", 1.0, float("nan"), 10),
        Guess("account:a", "addr:2", 1, float("nan"), 10),
    ]
    same = claimed(verdict_of(Question.ADDRESS_OF, guesses), claims)
    assert same.prob.tolist() == [0.5, 0.5]  # two claims of 0.8 cannot both hold
    wide = claimed(verdict_of(Question.ADDRESS_OF, [guesses[0]._replace(among=1000)]), claims)
    assert wide.prob == pytest.approx([4 / 100 / (1 + 4 / 100)])
    assert claimed(same, None) is same


def test_predecessors_are_noted_once_per_service_and_held_against_chance() -> None:
    # Client 0 asks half a second before each service, client 1 three times before the first alone.
    asked = [(0, 0), (0.2, 1), (0.3, 1), (0.4, 1), (10, 0), (20, 0)]
    view = view_of(
        [int(t * S) for t, _ in asked], [c for _, c in asked],
        retrieved=[(int((t + 0.5) * S), 7, 3, "") for t in (0, 10, 20)],
    )  # fmt: skip
    found = predecessor.Predecessor(predecessor.Config()).infer(view, (), RNG)
    assert found.candidate.tolist() == [address(0), address(1)]
    chance = 3 * 1 / 20
    spread = np.sqrt(3 * chance * (1 - chance) + 0.25)
    assert found.score == pytest.approx([(3 - 3 * chance) / spread, (1 - 3 * chance) / spread])
    assert np.isnan(found.prob).all()
    assert right(predecessor.Predecessor(predecessor.Config()).infer(traffic(3)[0], (), RNG)) > 0.7
