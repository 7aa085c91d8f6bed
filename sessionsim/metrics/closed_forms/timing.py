"""The timing channel: what is left to guess when only times of inputs and outputs are seen (metrics 1.3).

Inputs come as a Poisson process of rate lambda, each is delayed independently with density f. For an output
and its true delay D the posterior of the true input is f(D)/S with S = f(D) + sum of f over the Poisson
background. A right posterior makes the entropy the mean of -log of the truth's own probability, so

    H = E[log S] - E[log f(D)]      E[ln S] = integral over z of (exp(-z) - E exp(-z S))/z   (Frullani)
    E exp(-z S) = E exp(-z f(D)) exp(-lambda integral (1 - exp(-z f)))                        (Campbell)

which is two integrals, exact for any rate. The usual log lambda + h(f) is its limit for many candidates.
The best guess is right if no background delay has a larger density than the true one: V is the mean of
exp(-lambda L(D)), L the measure of the delays with a larger density.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]

_TINY: Final = 70.0  # densities below e^-70 of the scale are nothing
_PANELS: Final = 1200
_ORDER: Final = 10
# Steps of the outer integral, over ln z. The integrand is smooth and falls exponentially on both sides.
_LOG_Z: Final = np.arange(-40.0, 60.0, 0.05)


@dataclass(frozen=True, slots=True)
class DelayLaw:
    """A law of delays. Args: density: per second; low, high: where it is not negligible, seconds."""

    density: Callable[[Floats], Floats]
    low: float
    high: float
    entropy_bits: float


def erlang(hops: int, rate: float) -> DelayLaw:
    """Sum of exponential delays, one a hop, each of mean 1/rate seconds; one hop is the exponential law."""
    law = scipy.stats.gamma(hops, scale=1 / rate)
    high = float(law.isf(math.exp(-_TINY)))
    return DelayLaw(law.pdf, 0.0, high, float(law.entropy()) / math.log(2))


def normal(deviation: float) -> DelayLaw:
    """Ordinary jitter around a known mean, which does not matter; deviation in seconds."""
    law = scipy.stats.norm(0, deviation)
    reach = deviation * math.sqrt(2 * _TINY)
    return DelayLaw(law.pdf, -reach, reach, float(law.entropy()) / math.log(2))


def asymptotic_bits(rate: float, law: DelayLaw) -> float:
    """Entropy for many candidates: log lambda + h(f), good from lambda times deviation of about 5."""
    return math.log2(rate) + law.entropy_bits


def entropy_bits(rate: float, law: DelayLaw) -> float:
    """Entropy of the sender for one output, bits, exact up to the quadrature (about 1e-5).

    Args:
        rate: inputs per second of all candidates together. law: of the delay.
    """
    points, weights = _nodes(law)
    f = law.density(points)
    z = np.exp(_LOG_Z)
    own, rest = np.empty(len(z)), np.empty(len(z))
    for k, value in enumerate(z):
        left = np.expm1(-value * f)
        own[k] = 1 + (weights * f * left).sum()
        rest[k] = math.exp(rate * (weights * left).sum())
    step = _LOG_Z[1] - _LOG_Z[0]
    mean_log_s = float((np.exp(-z) - own * rest).sum() * step)
    return mean_log_s / math.log(2) + law.entropy_bits


def vulnerability(rate: float, law: DelayLaw) -> float:
    """Probability that the likeliest input is the right one."""
    points, weights = _nodes(law)
    f = law.density(points)
    order = np.argsort(-f, kind="stable")
    # V is the integral of y(L) exp(-lambda L) over L, y the density in falling order: exact in each cell.
    reached = np.concatenate([[0.0], np.exp(-rate * np.cumsum(weights[order])) - 1.0])
    return float((f[order] * -np.diff(reached)).sum() / rate)


def normal_vulnerability(rate: float, deviation: float) -> float:
    """The same for normal jitter as a formula: exp(a^2/2) erfc(a/sqrt 2), a = 2 lambda s."""
    a = 2 * rate * deviation
    return float(scipy.special.erfcx(a / math.sqrt(2)))


def _nodes(law: DelayLaw) -> tuple[Floats, Floats]:
    """Gauss-Legendre points and weights on panels that are finer where the law is dense."""
    x, w = np.polynomial.legendre.leggauss(_ORDER)
    # Quadratic spacing from an end at which a density may jump; symmetric laws get it from the middle.
    steps = np.linspace(0, 1, _PANELS + 1) ** 2
    if law.low < 0:
        half = steps * law.high
        edges = np.concatenate([-half[:0:-1], half])
    else:
        edges = law.low + steps * (law.high - law.low)
    middle, radius = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    return (middle[:, None] + radius[:, None] * x).ravel(), (radius[:, None] * w).ravel()
