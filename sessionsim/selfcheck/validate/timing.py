"""Checks of the timing channel: the likelihood-ratio attack against exact entropies: V8, V9."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._likelihood_ratio import (
    LogDensity,
    erlang_log_density,
    likelihood_ratio,
    normal_log_density,
)
from sessionsim.core.seeds import Seeds
from sessionsim.metrics.closed_forms import timing as known
from sessionsim.metrics.estimators import invariants
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, by_mean, formula, number_of, published
from sessionsim.selfcheck.validate._parameter import number, seed, whole

Floats = npt.NDArray[np.float64]

_ERLANG = {(3, 50.0): 8.31, (3, 5.0): 5.013, (1, 50.0): 7.092}  # bits, metrics 1.3 and V8; rates in 1/mu
_JITTER = {1.0: (0.210, 0.925), 10.0: (1.480, 0.523), 100.0: (4.41, 0.079)}  # H, V at 50 ms: metrics V9
_SPAN = 2_000_000  # posteriors held at once


class _Played(NamedTuple):
    """One run of the attack: means over outputs. Args: right: share of best guesses that were right."""

    bits: float
    right: float
    claimed: float
    outputs: int


@check(
    "timing-channel", "V8", source="metrics 1.3; two integrals in metrics/closed_forms/timing.py",
    lam=number((50.0,), "inputs per second, all senders together", 1e-3, 1e5),
    k=whole(3, "hops, each with an exponential delay", 1, 20),
    mu=number(1.0, "rate of a hop's delay, per second; lam/mu at most 1000", 1e-4, 1e4),
    outputs=whole(1000, "outputs attacked in a run", 10, 100_000, reduced=300),
    runs=whole(200, "independent runs", 10, 10_000, reduced=20),
    seed=seed(),
)  # fmt: skip
def timing_channel(
    lam: tuple[float, ...], k: int, mu: float, outputs: int, runs: int, seed: int
) -> Iterator[Finding]:
    """Entropy and success of the likelihood ratio on delays of several exponential hops."""
    law = known.erlang(k, mu)
    reach = 40.0 / mu + 3 * k / mu
    for rate in lam:
        label = f"lam={rate:g} k={k} mu={mu:g}"
        bits, right = known.entropy_bits(rate, law), known.vulnerability(rate, law)
        if (k, rate / mu) in _ERLANG:
            yield published(f"{label} entropy, bits", _ERLANG[k, rate / mu], bits, 0.02)
        rng = Seeds(seed).stream("validate", "timing-channel", str(rate), k)
        density = erlang_log_density(k, mu)
        many = _size(outputs, rate, reach)
        # The law that the attack assumes is checked to be the law that the inputs were delayed by.
        points = np.array([0.3, 1.0, 2.5]) / mu
        for got, expected in zip(np.exp(density(points)), law.density(points), strict=True):
            yield formula(f"{label} density", float(expected), float(got))
        played = [
            _play(rng, rate, density, (0.0, reach), many, partial(rng.gamma, k, 1 / mu)) for _ in range(runs)
        ]
        yield from _findings(label, bits, right, played)


@check(
    "jitter", "V9", source="metrics 1.3; two integrals in metrics/closed_forms/timing.py",
    sd_ms=number(50.0, "standard deviation of the delay, ms", 1e-3, 1e5),
    lam=number((1.0, 10.0, 100.0), "inputs per second, all senders together", 1e-3, 1e5),
    outputs=whole(2000, "outputs attacked in a run", 10, 100_000, reduced=500),
    runs=whole(200, "independent runs", 10, 10_000, reduced=20),
    seed=seed(),
)  # fmt: skip
def jitter(sd_ms: float, lam: tuple[float, ...], outputs: int, runs: int, seed: int) -> Iterator[Finding]:
    """Entropy and success of the likelihood ratio when nothing but jitter hides who sent."""
    deviation = sd_ms / 1000
    law, reach = known.normal(deviation), 9 * deviation
    for rate in lam:
        label = f"lam={rate:g}/s sd={sd_ms:g} ms"
        bits, right = known.entropy_bits(rate, law), known.vulnerability(rate, law)
        yield formula(f"{label} success by erfcx", known.normal_vulnerability(rate, deviation), right, 1e-6)
        if sd_ms == 50 and rate in _JITTER:
            for name, value, got in zip(
                ("entropy, bits", "success"), _JITTER[rate], (bits, right), strict=True
            ):
                yield published(f"{label} {name}", value, got, 0.01)
        rng = Seeds(seed).stream("validate", "jitter", str(rate))
        density = normal_log_density(0.0, deviation)
        many = _size(outputs, rate, 2 * reach)
        played = [
            _play(rng, rate, density, (-reach, reach), many, partial(rng.normal, 0, deviation))
            for _ in range(runs)
        ]
        yield from _findings(label, bits, right, played)


def _size(outputs: int, rate: float, reach: float) -> int:
    """Attack fewer outputs where each has many candidates."""
    return max(10, min(outputs, int(_SPAN / (rate * reach + 1))))


def _play(
    rng: np.random.Generator,
    rate: float,
    density: LogDensity,
    reach: tuple[float, float],
    outputs: int,
    delay: Callable[..., Any],
) -> _Played:
    """Let inputs come, delay them, and attack the outputs that lie a reach away from both ends."""
    shortest, longest = reach
    edge = longest - min(shortest, 0.0)
    span = outputs / rate + 2 * edge
    sent = np.sort(rng.uniform(0, span, rng.poisson(rate * span)))
    seen = sent + delay(len(sent))
    inside = np.flatnonzero((seen > edge) & (seen < span - edge))
    if not len(inside):
        return _Played(np.nan, np.nan, np.nan, 0)
    order = inside[np.argsort(seen[inside])]
    found = likelihood_ratio(sent, seen[order], density, shortest, longest)
    best, claimed = found.best()
    for at in (0, len(order) // 2):  # the invariants hold for each posterior
        one = found.prob[found.start[at] : found.start[at + 1]]
        invariants.enforce(invariants.of_distribution(one / one.sum()), "posterior of the likelihood ratio")
    return _Played(
        float(found.entropy_bits().mean()), float((best == order).mean()), float(claimed.mean()), len(order)
    )


def _findings(label: str, bits: float, right: float, played: list[_Played]) -> Iterator[Finding]:
    kept = [one for one in played if not np.isnan(one.bits)]
    yield by_mean(f"{label} entropy, bits", bits, [one.bits for one in kept], slack=1e-4)
    # A success that hardly ever comes: the binomial error of all outputs together is the least there is.
    trials = sum(one.outputs for one in kept)
    least = (right * (1 - right) / trials) ** 0.5 + 1 / trials
    yield by_mean(f"{label} best guess right", right, [one.right for one in kept], least=least)
    yield by_mean(f"{label} mean of the best posterior", right, [one.claimed for one in kept])
    # Calibration: the posterior claims what comes true.
    yield by_mean(
        f"{label} claimed less came true", 0.0, [one.claimed - one.right for one in kept], least=least
    )
    yield number_of(f"{label} runs without an output", 0, len(played) - len(kept))
