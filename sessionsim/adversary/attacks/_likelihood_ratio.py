"""Likelihood ratio: which input became this output, with the law of the delay known (metrics 2b(iii)).

An input at s and an output at t belong together with weight f(t - s); the posterior is the weight over the
sum of all weights. With the right law no attack on times alone does better, so it is the measure of the
others. Works on one output at a time; `_perfect_matching` decides all outputs jointly.

Source: metrics 1.3 and 2b; Danezis, The Traffic Analysis of Continuous-Time Mixes, PET 2004.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LogDensity = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The posteriors of all outputs, one after another.

    Args:
        start: where each output's candidates begin, shape (outputs + 1,).
        source: number of the input, shape (candidates,). prob: its posterior; sums to 1 per output.
    """

    start: Ints
    source: Ints
    prob: Floats

    def entropy_bits(self) -> Floats:
        """Entropy of each output's posterior, shape (outputs,)."""
        logs = np.log2(self.prob, where=self.prob > 0, out=np.zeros_like(self.prob))
        found: Floats = -np.add.reduceat(self.prob * logs, self.start[:-1])
        return found

    def best(self) -> tuple[Ints, Floats]:
        """Likeliest input of each output, and its posterior; the first of equals."""
        most = np.maximum.reduceat(self.prob, self.start[:-1])
        owner = np.repeat(np.arange(len(most)), np.diff(self.start))
        at = np.flatnonzero(self.prob == most[owner])
        _, first = np.unique(owner[at], return_index=True)
        return self.source[at[first]], most


def likelihood_ratio(
    input_s: npt.ArrayLike,
    output_s: npt.ArrayLike,
    log_density: LogDensity,
    shortest_s: float,
    longest_s: float,
) -> Candidates:
    """Give, for every output, the posterior over the inputs that can have become it.

    Args:
        input_s, output_s: times, seconds, ascending.
        log_density: natural logarithm of the delay's density; -inf where there is none.
        shortest_s, longest_s: delays outside are not considered. Every output must have an input within,
            so the caller cuts off outputs nearer to an end of the watch than the longest delay.
    """
    sent, seen = np.asarray(input_s, dtype=np.float64), np.asarray(output_s, dtype=np.float64)
    first = np.searchsorted(sent, seen - longest_s, "left")
    last = np.searchsorted(sent, seen - shortest_s, "right")
    sizes = last - first
    start = np.concatenate([[0], np.cumsum(sizes)])
    owner = np.repeat(np.arange(len(seen)), sizes)
    source = np.arange(start[-1]) - np.repeat(start[:-1] - first, sizes)
    logs = log_density(seen[owner] - sent[source])
    peak = np.maximum.reduceat(logs, start[:-1])
    weight = np.exp(logs - peak[owner])
    prob = weight / np.add.reduceat(weight, start[:-1])[owner]
    return Candidates(start.astype(np.int64), source.astype(np.int64), prob)


def pair_scores(
    a_s: list[Floats], b_s: list[Floats], log_density: LogDensity, background_per_s: float
) -> Floats:
    """Score pairs of flows: the log of how much likelier b is with a behind it than as background.

    Each event of b came from some event of a, or from background of a known rate.

    Args:
        a_s, b_s: event times of each flow, seconds, ascending.
        log_density: as in `likelihood_ratio`. background_per_s: events of b per second that a did not cause.

    Returns:
        Shape (flows of a, flows of b), nats.
    """
    scores = np.zeros((len(a_s), len(b_s)))
    rate = max(background_per_s, 1e-12)
    for i, a in enumerate(a_s):
        for j, b in enumerate(b_s):
            if len(a) and len(b):
                with np.errstate(divide="ignore", invalid="ignore"):
                    density = np.exp(log_density(b[:, None] - a[None, :])).sum(axis=1)
                scores[i, j] = np.log1p(density / rate).sum() - len(a)
    return scores


def erlang_log_density(hops: int, rate_per_s: float) -> LogDensity:
    """Give the log density of the sum of so many exponential delays of mean 1/rate seconds."""
    constant = hops * math.log(rate_per_s) - math.lgamma(hops)

    def log_density(delay_s: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = constant + (hops - 1) * np.log(delay_s) - rate_per_s * delay_s
        found: Floats = np.where(delay_s > 0, logs, constant if hops == 1 else -np.inf)
        return np.where(delay_s < 0, -np.inf, found)

    return log_density


def normal_log_density(mean_s: float, deviation_s: float) -> LogDensity:
    """Give the log density of normal jitter around a mean delay."""
    constant = -math.log(deviation_s * math.sqrt(2 * math.pi))

    def log_density(delay_s: Floats) -> Floats:
        found: Floats = constant - ((delay_s - mean_s) / deviation_s) ** 2 / 2
        return found

    return log_density
