"""Check that every attack scores nothing where there is nothing, and everything where nothing hides: V26.

The floor: on flows that have nothing to do with each other each attack must come out at one half (or at its
blind rate), and a blind guess must on any flows. The ceiling: on exact copies each must be right always. An
attack between the two can be believed; one that beats the floor on unrelated flows has seen the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._cross_correlation import binned, cross_correlation
from sessionsim.adversary.attacks._event_trains import event_match
from sessionsim.adversary.attacks._least_squares_disclosure import least_squares_disclosure
from sessionsim.adversary.attacks._likelihood_ratio import normal_log_density, pair_scores
from sessionsim.adversary.attacks._packet_counting import packet_counting
from sessionsim.adversary.attacks._perfect_matching import perfect_matching
from sessionsim.adversary.attacks._random_guess import random_guess
from sessionsim.adversary.attacks._sealed_sender import sealed_sender_scores
from sessionsim.adversary.attacks._statistical_disclosure import statistical_disclosure
from sessionsim.adversary.attacks._two_sided_disclosure import two_sided_disclosure
from sessionsim.adversary.attacks._watermark import watermark_key, watermark_score, watermarked
from sessionsim.core.seeds import Seeds
from sessionsim.metrics.estimators.detection import area_under_curve
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, by_mean, number_of
from sessionsim.selfcheck.validate._parameter import number, seed, whole

Floats = npt.NDArray[np.float64]


class Flow(NamedTuple):
    """Events of one link. Args: time_s: ascending; size: bytes."""

    time_s: Floats
    size: Floats


Scorer = Callable[[list[Flow], list[Flow], float, float], Floats]


@check(
    "null-and-oracle", "V26", source="metrics V26, trap 8",
    flows=whole(24, "flows on each side", 4, 200, reduced=12),
    events=whole(60, "events of a flow, on average", 20, 2000),
    rate=number(0.1, "events of a flow per second", 1e-4, 100),
    runs=whole(100, "independent worlds", 10, 10_000, reduced=30),
    seed=seed(),
)  # fmt: skip
def null_and_oracle(flows: int, events: int, rate: float, runs: int, seed: int) -> Iterator[Finding]:
    """Attacks on unrelated flows score the floor, on exact copies the ceiling; blind guesses the floor."""
    horizon, seeds = events / rate, Seeds(seed)
    for name, scorer in SCORERS.items():
        areas, wrong = [], 0
        for run in range(runs):
            rng = seeds.stream("validate", "null-and-oracle", name, run)
            one, other = (_flows(flows, rate, horizon, rng) for _ in range(2))
            areas.append(_area(scorer(one, other, rate, horizon)))
            if run < 5:  # no chance is left here
                copies = scorer(one, [Flow(f.time_s.copy(), f.size.copy()) for f in one], rate, horizon)
                wrong += int((copies.argmax(axis=1) != np.arange(flows)).sum()) + int(_area(copies) < 1)
        yield by_mean(f"{name}: AUC on unrelated flows", 0.5, areas)
        yield number_of(f"{name}: mistakes on exact copies", 0, wrong)
    yield from _blind(flows, runs, seeds)
    yield from _matching(flows, runs, seeds)
    yield from _marks(flows, rate, horizon, runs, seeds)
    yield from _long_term(runs, seeds)


def _flows(flows: int, rate: float, horizon: float, rng: np.random.Generator) -> list[Flow]:
    made = []
    for _ in range(flows):
        time = np.sort(rng.uniform(0, horizon, 1 + rng.poisson(rate * horizon)))
        made.append(Flow(time, np.exp(rng.normal(6, 1, len(time)))))
    return made


def _area(scores: Floats) -> float:
    """AUC of true pairs, on the diagonal, against all others."""
    own = np.eye(len(scores), dtype=bool)
    found = area_under_curve(scores[own], scores[~own]).value
    assert found is not None
    return found


def _counting(a: list[Flow], b: list[Flow], rate: float, horizon: float) -> Floats:
    window = 5 / rate
    counts = [binned([flow.time_s for flow in side], window, horizon) for side in (a, b)]
    return packet_counting(counts[0], counts[1])


def _correlation(a: list[Flow], b: list[Flow], rate: float, horizon: float) -> Floats:
    width = 1 / rate
    counts = [binned([flow.time_s for flow in side], width, horizon) for side in (a, b)]
    return cross_correlation(counts[0], counts[1], (0, 1, 2))


def _ratio(a: list[Flow], b: list[Flow], rate: float, horizon: float) -> Floats:
    density = normal_log_density(0.0, 0.1 / rate)
    return pair_scores([flow.time_s for flow in a], [flow.time_s for flow in b], density, rate)


def _trains(a: list[Flow], b: list[Flow], rate: float, horizon: float) -> Floats:
    return np.array(
        [[event_match((f.time_s, f.size), (g.time_s, g.size), 0.5 / rate, 1.2) for g in b] for f in a]
    )


SCORERS: dict[str, Scorer] = {
    "packet counting": _counting,
    "cross-correlation": _correlation,
    "likelihood ratio": _ratio,
    "event trains": _trains,
}


def _blind(flows: int, runs: int, seeds: Seeds) -> Iterator[Finding]:
    areas = [
        _area(random_guess((flows, flows), seeds.stream("validate", "blind", run))) for run in range(runs)
    ]
    yield by_mean("blind guess: AUC", 0.5, areas)


def _matching(flows: int, runs: int, seeds: Seeds) -> Iterator[Finding]:
    right, sure = [], 0
    for run in range(runs):
        rng = seeds.stream("validate", "matching", run)
        right.append(float((perfect_matching(rng.random((flows, flows))) == np.arange(flows)).mean()))
        scores = rng.random((flows, flows)) + 2 * np.eye(flows)
        sure += int((perfect_matching(scores) != np.arange(flows)).sum())
    yield by_mean("perfect matching: right among meaningless scores", 1 / flows, right)
    yield number_of("perfect matching: mistakes among clear scores", 0, sure)


def _marks(flows: int, rate: float, horizon: float, runs: int, seeds: Seeds) -> Iterator[Finding]:
    slot, areas, wrong = 4 / rate, [], 0
    for run in range(runs):
        rng = seeds.stream("validate", "watermark", run)
        key = watermark_key(16, rng)
        # Half as long again as the other flows: the mark is in phases, of which each event has one.
        plain, marked = (_flows(flows, rate, 3 * horizon, rng) for _ in range(2))
        clean = [watermark_score(flow.time_s, key, slot) for flow in plain]
        other = [watermark_score(flow.time_s, key, slot) for flow in marked]
        area = area_under_curve(other, clean).value
        assert area is not None
        areas.append(area)
        if run < 5:
            # Every event at the start of its slot: nothing but the mark moves it.
            still = np.arange(200) * slot + 0.01 * slot
            held = watermark_score(watermarked(still, key, slot, 0.5 * slot), key, slot)
            wrong += int(held <= max(watermark_score(still, key, slot), 8.0))
    yield by_mean("watermark: AUC where none is", 0.5, areas)
    yield number_of("watermark: missed on a flow without noise", 0, wrong)


def _long_term(runs: int, seeds: Seeds) -> Iterator[Finding]:
    """Disclosure: chance on rounds without the target, no fault when nobody else sends."""
    people, contacts, rounds, batch = 40, 4, 60, 6
    chance: dict[str, list[float]] = {
        "disclosure": [],
        "two-sided": [],
        "least squares": [],
        "sealed sender": [],
    }
    wrong = 0
    for run in range(runs):
        rng = seeds.stream("validate", "long-term", run)
        received = rng.multinomial(batch, np.full(people, 1 / people), size=rounds)
        sent = rng.multinomial(batch, np.full(people, 1 / people), size=rounds)
        active, gets = (rng.permutation(rounds) < rounds // 2 for _ in range(2))
        stored = np.sort(rng.uniform(0, 600, 800))
        moments = [np.sort(rng.uniform(0, 600, 30)) for _ in range(2)]
        for name, scores in {
            "disclosure": statistical_disclosure(active, received),
            "two-sided": two_sided_disclosure(active, received, gets, sent),
            "least squares": least_squares_disclosure(sent, received)[0],
            "sealed sender": sealed_sender_scores(
                rng.integers(people, size=800), stored, moments[0], moments[1], 1.0, people
            ),
        }.items():
            # Contacts of the target are 0..3; a blind order puts each first as often as any other.
            order = np.lexsort((rng.random(people), -scores))
            chance[name].append(float((order[:contacts] < contacts).mean()))
        alone = np.zeros((rounds, people), dtype=np.int64)
        alone[np.arange(rounds), rng.permutation(np.arange(rounds) % contacts)] = 1
        scores = statistical_disclosure(np.ones(rounds, dtype=bool), alone)
        wrong += int(set(np.argsort(-scores)[:contacts].tolist()) != set(range(contacts)))
        own = np.eye(people)[rng.integers(people, size=200)]
        profile = least_squares_disclosure(own, np.roll(own, 1, axis=1))
        met = own.sum(axis=0) > 0
        wrong += int((profile[met].argmax(axis=1) != ((np.arange(people) + 1) % people)[met]).sum())
    for name, hits in chance.items():
        yield by_mean(f"{name}: recall where nothing is", contacts / people, hits)
    yield number_of("disclosure: mistakes without background", 0, wrong)
