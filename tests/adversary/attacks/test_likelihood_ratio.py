"""The likelihood ratio as an attack on views: by hand, learned, and with strangers about."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sessionsim.adversary.attacks._events import FIRST_STRANGER
from sessionsim.adversary.attacks._transit import delay_law, learn_transit
from sessionsim.adversary.attacks.likelihood_ratio import Config, LikelihoodRatio
from sessionsim.core.verdict import Example, Question
from sessionsim.core.view import View
from tests.adversary.attacks.traffic import address, hash_of, told, view_of

S = 1_000_000
KNOWN = Config(law="erlang", hops=1, delay_us=S, sizes=False)
RNG = np.random.default_rng(0)


def test_posterior_by_hand() -> None:
    # Delays of 3 s and 1 s under an exponential law of mean 1 s; the request at 5 s comes too late.
    view = view_of([0, 2 * S, 5 * S], [0, 1, 2], stored=[(3 * S, 7, 1, 500, True)])
    found = LikelihoodRatio(KNOWN).infer(view, (), RNG)
    assert found.question is Question.SENDER_ADDRESS
    assert found.subject.tolist() == [hash_of(1)] * 2
    assert found.candidate.tolist() == [address(1), address(0)]
    weights = np.exp([-1.0, -3.0])
    assert found.prob == pytest.approx(weights / weights.sum())
    assert (found.among.tolist(), found.t_us.tolist()) == ([3, 3], [3 * S, 3 * S])


def test_requests_of_one_client_add_up() -> None:
    view = view_of([0, 1 * S, 2 * S], [0, 1, 0], stored=[(3 * S, 7, 1, 500, True)])
    found = LikelihoodRatio(KNOWN).infer(view, (), RNG)
    weights = np.array([np.exp(-1.0) + np.exp(-3.0), np.exp(-2.0)])
    assert found.candidate.tolist() == [address(0), address(1)]
    assert found.prob == pytest.approx(weights / weights.sum())


def test_a_message_before_all_requests_has_no_candidate() -> None:
    view = view_of([5 * S], [0], stored=[(3 * S, 7, 1, 500, True)])
    found = LikelihoodRatio(KNOWN).infer(view, (), RNG)
    assert (found.subject.tolist(), found.candidate.tolist(), found.prob.tolist()) == (
        [hash_of(1)],
        [""],
        [0],
    )


def test_strangers_are_candidates_and_not_subjects() -> None:
    view = view_of([0], [0], stored=[(3 * S, 7, 1, 500, True)])
    strangers = {
        "requests": {
            "t_us": np.array([2 * S]), "client": np.array([FIRST_STRANGER]), "wire_bytes": np.array([9]),
        },
        "stores": {
            "t_us": np.array([2 * S]), "account": np.array([FIRST_STRANGER]), "size_bytes": np.array([9]),
            "namespace": np.array([0]), "direct": np.array([1]),
        },
        "people": {"clients": np.array([99])},
    }  # fmt: skip
    found = LikelihoodRatio(KNOWN).infer(dataclasses.replace(view, background=strangers), (), RNG)
    assert found.subject.tolist() == [hash_of(1)] * 2
    assert found.candidate.tolist() == [f"addr:{FIRST_STRANGER}", address(0)]
    assert found.among.tolist() == [100, 100]


def test_only_the_likeliest_are_listed() -> None:
    view = view_of(np.arange(10) * S // 10, np.arange(10), stored=[(1 * S, 7, 1, 500, True)])
    found = LikelihoodRatio(dataclasses.replace(KNOWN, keep=3)).infer(view, (), RNG)
    assert found.candidate.tolist() == [address(9), address(8), address(7)]
    assert found.prob.sum() < 1
    assert found.among.tolist() == [10] * 3


def trained(seed: int, n: int = 300, watched: float = 1.0) -> tuple[View, Example]:
    """Messages of 20 clients, 0.2 s and more under way, in two sizes, between polls of another size."""
    rng = np.random.default_rng(seed)
    sent = np.sort(rng.uniform(0, 600, n))
    client, size = rng.integers(20, size=n), rng.integers(2, size=n)
    arrived = sent + 0.2 + rng.gamma(2, 0.15, n)
    seen = rng.random(n) < watched
    polls = rng.uniform(0, 600, 2000)
    when = np.r_[sent[seen], polls]
    order = np.argsort(when)
    whose = np.r_[client[seen], rng.integers(20, size=2000)]
    wire = np.r_[2000 + 200 * size[seen], np.full(2000, 3000)]
    stored = [
        (int(t * S), int(k % 7), k, int(500 + 160 * z), True)
        for k, (t, z) in enumerate(zip(arrived, size, strict=True))
    ]
    view = view_of((when * S)[order].astype(int), whose[order], wire[order], stored=stored)
    number = np.r_[np.flatnonzero(seen), np.full(2000, -1)][order]
    kinds = {f"row:{k}": ("kind:message" if m >= 0 else "kind:poll",) for k, m in enumerate(number.tolist())}
    carried = {f"row:{k}": hash_of(int(m)) for k, m in enumerate(number.tolist()) if m >= 0}
    senders = {hash_of(k): (address(int(c)),) for k, c in enumerate(client.tolist())}
    labels = {Question.EVENT_KIND: kinds, Question.SENDER_ADDRESS: senders}
    told(view, stored)
    return view, Example(view, (), labels, carried)


def success(attack: LikelihoodRatio, seed: int) -> tuple[float, float]:
    """Share of right best guesses, and what they claimed on average."""
    view, example = trained(seed)
    found = attack.infer(view, (), RNG)
    truth = example.labels[Question.SENDER_ADDRESS]
    first = np.unique(found.subject.astype(str), return_index=True)[1]
    right = [truth[found.subject[k]] == (found.candidate[k],) for k in first.tolist()]
    return float(np.mean(right)), float(found.prob[first].mean())


def test_learned_delays_and_sizes_find_senders_and_mean_what_they_say() -> None:
    attack = LikelihoodRatio(Config())
    attack.fit([trained(2)[1]])
    right, claimed = success(attack, 3)
    assert right > 0.75
    assert abs(right - claimed) < 0.06
    timed = LikelihoodRatio(Config(sizes=False))
    timed.fit([trained(2)[1]])
    assert success(timed, 3)[0] < right


def test_messages_of_unwatched_clients_keep_a_share_of_the_probability() -> None:
    attack = LikelihoodRatio(Config())
    attack.fit([trained(2, watched=0.5)[1]])
    transit = attack._transit
    assert transit is not None
    assert 0.4 < transit.coverage < 0.6
    view, _ = trained(3, watched=0.5)
    found = attack.infer(view, (), RNG)
    whose = np.unique(found.subject.astype(str), return_inverse=True)[1]
    claimed = np.bincount(whose, found.prob)
    assert 0.35 < claimed.mean() < 0.7


def test_an_attack_that_learned_nothing_says_nothing() -> None:
    attack = LikelihoodRatio(Config())
    view, _ = trained(3)
    assert len(attack.infer(view, (), RNG)) == 0
    attack.fit([Example(view_of(), (), {Question.EVENT_KIND: {}}, {})])
    assert len(attack.infer(trained(3)[0], (), RNG)) == 0


def test_a_delay_law_is_a_density_close_to_what_it_learned() -> None:
    samples = np.random.default_rng(4).gamma(3, 0.2, 2000)
    law = delay_law(samples)
    x = np.linspace(1e-6, law.longest_s, 200_001)
    assert np.trapezoid(np.exp(law(x)), x) == pytest.approx(1, abs=5e-3)
    assert np.trapezoid(np.exp(law(x)) * x, x) == pytest.approx(samples.mean(), rel=0.03)
    assert law(np.array([-1.0, 0.0, law.longest_s * 1.01])).tolist() == [-np.inf] * 3


def test_what_is_learned_of_sizes_is_counted() -> None:
    transit = learn_transit([trained(2)[1]])
    assert transit is not None
    assert transit.carries(np.array([2000, 2200, 3000, 7])).tolist() == [1, 1, 0, 0]
    ratio = transit.size_ratio(np.array([500, 500, 9999]), np.array([2000, 2200, 2000]))
    assert ratio[0] > 1.5
    assert ratio[1] < 0.1
    assert ratio[2] == 1
