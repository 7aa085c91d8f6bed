"""Checks of leakage and of its estimators: V5, V6, V7, V22, V28."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import scipy

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.core.readings import Reading
from sessionsim.core.seeds import Seeds
from sessionsim.metrics._run import check as check_reading
from sessionsim.metrics.closed_forms import channels as known
from sessionsim.metrics.estimators import channels, invariants
from sessionsim.metrics.estimators.audit import epsilon_bound
from sessionsim.metrics.estimators.bayes_risk import cover_hart, held_out_risk, neighbours_to_scan
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import (
    DEVIATIONS,
    Finding,
    at_least,
    at_most,
    by_count,
    formula,
    near,
    number_of,
    published,
)
from sessionsim.selfcheck.validate._parameter import cases, number, prob, seed, whole, word

_RISKS = {(100, 100.0, 1.0): 0.0, (100, 100.0, 0.1): 0.00667, (100, 100.0, 0.01): 0.6005,
          (100, 10.0, 0.2): 0.3642, (100, 10.0, 0.1): 0.6005}  # fmt: skip # Source: metrics 1.2(3)
_NEIGHBOURS = {"sqrt": 0.605, "ln": 0.655}  # Source: metrics 1.2(3), first channel, n = 10^5
_SYMMETRIC = {0.1: (0.9, 0.8480, 0.5310), 0.25: (0.75, 0.5850, 0.1887)}  # V, leakage, capacity: metrics 1.3
_COVER_HART = {(2, 0.3): 0.1838, (10, 0.3): 0.1652, (100, 0.6): 0.3686}  # Source: metrics 1.2(3)


@check(
    "bayes-risk", "V5", source="metrics 1.2(3); F-BLEAU, S&P 2019",
    L=whole(100, "secrets", 2, 1000),
    D=number(100.0, "distance between neighbouring secrets", 1e-6, 1e6),
    nu=number(0.01, "rate of the two-sided exponential noise", 1e-9, 1e3),
    n=whole(100_000, "samples to learn from", 1000, 1_000_000, reduced=20_000),
    k=word("sqrt", "neighbours: square root of n, ln n, or n/(2L)", ("sqrt", "ln", "linear")),
    tested=whole(20_000, "held-out samples", 1000, 1_000_000, reduced=10_000),
    seed=seed(),
)  # fmt: skip
def bayes_risk(L: int, D: float, nu: float, n: int, k: str, tested: int, seed: int) -> Iterator[Finding]:
    """Nearest-neighbour estimate of the Bayes risk of the geometric channel against its closed form."""
    if n < 40 * L:
        raise InvalidInput("validate bayes-risk --n", n, f"at least {40 * L}, 40 for each secret")
    risk = known.geometric_bayes_risk(L, D, nu)
    if (L, D, nu) in _RISKS:
        yield published("Bayes risk", _RISKS[L, D, nu], risk, 1e-4)
    rng = Seeds(seed).stream("validate", "bayes-risk")
    neighbours = {"ln": math.log(n), "sqrt": math.sqrt(n), "linear": n / (2 * L)}[k]
    draw = _geometric(L, D, nu, rng)
    found = held_out_risk(draw(n), draw(tested), max(1, round(neighbours)))
    if k in _NEIGHBOURS and (L, D, nu, n) == (100, 100, 0.01, 100_000):
        yield published(f"held-out error, k={found.k}", _NEIGHBOURS[k], found.value, 0.015)
    # No rule errs less than the Bayes risk, up to chance; k-NN errs more by its variance and by its reach.
    chance = DEVIATIONS * math.sqrt(max(risk * (1 - risk), 1e-4) / tested)
    reach, noise = (found.k * L / (2 * n)) / 0.158, math.sqrt(316 / found.k)
    slow = 0.015 * max(1.0, reach, noise)
    yield Finding(
        f"held-out error, k={found.k}", risk, found.value, chance, chance + slow,
        f"below by chance only; above also {slow:.3g} for convergence, 0.015 at the published size",
    )  # fmt: skip
    nearest = held_out_risk(draw(n), draw(tested), 1)
    yield at_most("Cover-Hart bound of the 1-NN error", risk + chance, cover_hart(L, nearest.value), "bound")
    yield number_of("numbers of neighbours to scan", 3, len(neighbours_to_scan(n, L)))


def _geometric(secrets: int, spacing: float, rate: float, rng: np.random.Generator) -> Any:
    def draw(n: int) -> tuple[Any, Any]:
        secret = rng.integers(secrets, size=n)
        return secret, secret * spacing + rng.laplace(0, 1 / rate, n)

    return draw


@check(
    "symmetric-channel", "V6", source="metrics 1.3",
    p=prob((0.1,), "probability of an error"),
    trials=whole(1_000_000, "observations drawn", 1000, 100_000_000, reduced=100_000),
    seed=seed(),
)  # fmt: skip
def symmetric_channel(p: tuple[float, ...], trials: int, seed: int) -> Iterator[Finding]:
    """Vulnerability, leakage, capacity and eps of the binary symmetric channel, computed and played."""
    for error in p:
        matrix, half = np.array([[1 - error, error], [error, 1 - error]]), channels.uniform(2)
        best = max(error, 1 - error)
        leak, capacity = known.symmetric_leakage_bits(error), known.symmetric_capacity_bits(error)
        if error in _SYMMETRIC:
            for name, value, got in zip(
                ("vulnerability", "leakage", "capacity"),
                _SYMMETRIC[error],
                (best, leak, capacity),
                strict=True,
            ):
                yield published(f"p={error:g} {name}", value, got, 1e-3)
        yield formula(f"p={error:g} vulnerability", best, channels.vulnerability(matrix, half))
        yield formula(f"p={error:g} min-entropy leakage, bits", leak, channels.leakage_bits(matrix, half))
        yield formula(f"p={error:g} multiplicative Bayes capacity", 2 * best, channels.bayes_capacity(matrix))
        found = channels.capacity_bits(matrix)
        yield near(f"p={error:g} capacity, bits", capacity, found, 1e-7, "end of Blahut's iteration")
        eps = known.symmetric_epsilon(error)
        if math.isfinite(eps):
            yield formula(f"p={error:g} eps, nats", eps, channels.epsilon(matrix))
        rng = Seeds(seed).stream("validate", "symmetric-channel", str(error))
        secret = rng.integers(2, size=trials)
        seen = secret ^ (rng.random(trials) < error)
        right = int(((seen if error <= 0.5 else 1 - seen) == secret).sum())
        yield by_count(f"p={error:g} best guesses that are right", best, right, trials)


@check(
    "neighbour-bound", "V7", source="Cover, Hart 1967; metrics 1.2(3)",
    L=whole((2,), "secrets", 2, 100_000),
    R=prob((0.3,), "risk of the nearest-neighbour rule"),
    trials=whole(1_000_000, "pairs drawn", 1000, 100_000_000, reduced=100_000),
    seed=seed(),
)  # fmt: skip
def neighbour_bound(L: tuple[int, ...], R: tuple[float, ...], trials: int, seed: int) -> Iterator[Finding]:
    """Lower bound of the Bayes risk from one neighbour, and that the extreme case really has that risk."""
    for case in cases(L=L, R=R):
        secrets, risk = case["L"], case["R"]
        if risk > (secrets - 1) / secrets:
            raise InvalidInput("validate neighbour-bound --R", risk, f"at most (L-1)/L for L={secrets}")
        bound = cover_hart(secrets, risk)
        label = f"L={secrets} R={risk:g}"
        if (secrets, risk) in _COVER_HART:
            yield published(f"{label} bound", _COVER_HART[secrets, risk], bound, 1e-4)
        yield formula(f"{label} risk that belongs to the bound", risk, known.neighbour_risk(secrets, bound))
        # In the extreme case all wrong secrets are equally likely; two labels at one point then differ
        # exactly as often as one neighbour errs.
        rng = Seeds(seed).stream("validate", "neighbour-bound", secrets, str(risk))
        wrong = rng.random((2, trials)) < bound
        label_of = np.where(wrong, rng.integers(1, secrets, size=(2, trials)), 0)
        yield by_count(
            f"{label} neighbours that differ", risk, int((label_of[0] != label_of[1]).sum()), trials
        )


@check(
    "audit", "V22", source="metrics 1.2(5)",
    false_alarms=whole(0, "false alarms seen", 0, 10_000_000),
    negatives=whole(1000, "games without the challenge", 1, 10_000_000),
    misses=whole(500, "misses seen", 0, 10_000_000),
    positives=whole(1000, "games with the challenge", 1, 10_000_000),
    delta=prob(0.0, "probability in which eps may fail"),
    eps=number(1.0, "true eps of randomised response in the played game, nats", 0.01, 5),
    runs=whole(2000, "played games", 100, 100_000, reduced=400),
    seed=seed(),
)  # fmt: skip
def audit(
    false_alarms: int,
    negatives: int,
    misses: int,
    positives: int,
    delta: float,
    eps: float,
    runs: int,
    seed: int,
) -> Iterator[Finding]:
    """Lower bound of eps from counted errors; in a game of known eps it is exceeded rarely enough."""
    for name, hits, of in (("false_alarms", false_alarms, negatives), ("misses", misses, positives)):
        if hits > of:
            raise InvalidInput(f"validate audit --{name}", hits, f"at most {of}, the games played")
    got = epsilon_bound(false_alarms, negatives, misses, positives, delta)
    if (false_alarms, negatives, misses, positives, delta) == (0, 1000, 500, 1000, 0.0):
        yield published("eps, nats", 4.85, got, 0.01)
    fpr, fnr = (_upper(hits, of) for hits, of in ((false_alarms, negatives), (misses, positives)))
    pairs = [(1 - delta - fpr, fnr), (1 - delta - fnr, fpr)]
    ratios = [math.log(a / b) for a, b in pairs if a > 0]
    yield near("eps, nats, limits by bisection", max([0.0, *ratios]), got, 1e-6, "bisection")
    rng, lie = Seeds(seed).stream("validate", "audit"), 1 / (1 + math.exp(eps))
    over = sum(
        epsilon_bound(int(a), 400, int(b), 400) > eps for a, b in rng.binomial(400, lie, size=(runs, 2))
    )
    # Each of the two limits fails in at most 2.5 % of the games.
    most = float(scipy.stats.binom(runs, 0.05).isf(1e-5)) / runs
    yield at_most("games whose bound exceeds the true eps", most, over / runs, "5 % and chance")


def _upper(hits: int, trials: int) -> float:
    """Solve for the probability at which so few hits have a chance of 2.5 %."""
    if hits >= trials:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if scipy.stats.binom.cdf(hits, trials, middle) > 0.025 else (low, middle)
    return (low + high) / 2


@check(
    "invariants", "V28", source="metrics 1.2(7)",
    secrets=whole(12, "secrets of a random channel", 2, 500),
    outputs=whole(15, "observations of a random channel", 2, 500),
    runs=whole(500, "random channels, from nearly deterministic to nearly useless", 5, 100_000, reduced=100),
    seed=seed(),
)  # fmt: skip
def invariants_check(secrets: int, outputs: int, runs: int, seed: int) -> Iterator[Finding]:
    """Inequalities that every result obeys, on random channels; and that a doctored one is noticed."""
    rng = Seeds(seed).stream("validate", "invariants")
    broken: dict[str, int] = dict.fromkeys(("distribution", "channel", "coarsening", "joining"), 0)
    noticed = 0
    for run in range(runs):
        spread = 10 ** rng.uniform(-1.5, 1.5)
        prior = rng.dirichlet(np.full(secrets, 10 ** rng.uniform(-0.5, 1.5)))
        one, other = (_channel(rng, secrets, outputs, spread, run % 7 == 0) for _ in range(2))
        broken["distribution"] += bool(invariants.of_distribution(one))
        broken["channel"] += bool(invariants.of_channel(one, prior))
        merge = rng.integers(max(1, outputs // 2), size=outputs)
        broken["coarsening"] += bool(invariants.of_coarsening(one, merge, prior))
        broken["joining"] += bool(invariants.of_joining(one, other, prior))
        noticed += bool(invariants.of_growing([0.5, 0.4]))
    for name, times in broken.items():
        yield number_of(f"{name}: rules broken", 0, times)
    yield number_of("doctored results noticed", runs, noticed)
    sound = Reading("m", "n", "prob", 0.2, 0.1, 0.3, "95 %", 9, "seed", 0.0, "floor", None, {})
    doctored: list[dict[str, Any]] = [
        {"value": 0.4},
        {"high": 1.2},
        {"low": None},
        {"needed": 5},
        {"baseline": -0.1},
    ]
    yield number_of("sound readings refused", 0, _refused([sound]))
    readings = [replace(sound, **wrong) for wrong in doctored]
    yield number_of("doctored readings refused", len(readings), _refused(readings))
    yield at_least("Fano's bound less the equivocation of a useless channel, bits", 0.0, _useless(secrets),
                   "inequality")  # fmt: skip


def _refused(readings: list[Reading]) -> int:
    """Count the readings that the metrics would not let out."""
    refused = 0
    for reading in readings:
        try:
            check_reading(reading)
        except LocalProtocolError:
            refused += 1
    return refused


def _channel(rng: np.random.Generator, secrets: int, outputs: int, spread: float, deterministic: bool) -> Any:
    if deterministic:
        return np.eye(outputs)[rng.integers(outputs, size=secrets)]
    drawn = rng.gamma(spread, size=(secrets, outputs)) + 1e-300
    return drawn / drawn.sum(axis=1, keepdims=True)


def _useless(secrets: int) -> float:
    """Fano is tight where the observation says nothing and the prior is uniform."""
    same, prior = np.full((secrets, 2), 0.5), channels.uniform(secrets)
    left = channels.conditional_entropy_bits(same, prior)
    return invariants.fano_bound(1 - channels.vulnerability(same, prior), secrets) - left + 1e-9
