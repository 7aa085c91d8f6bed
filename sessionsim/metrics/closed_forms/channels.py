"""Channels whose leakage is known as a formula (metrics 1.3), and the bound from one neighbour."""

from __future__ import annotations

import math


def entropy_of_bit(p: float) -> float:
    """Entropy of a coin, bits."""
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)


def symmetric_capacity_bits(p: float) -> float:
    """Capacity of the binary symmetric channel with error p: 1 - h(p)."""
    return 1 - entropy_of_bit(p)


def symmetric_leakage_bits(p: float) -> float:
    """Min-entropy leakage of the binary symmetric channel at the uniform prior: log(2 max(p, 1-p))."""
    return math.log2(2 * max(p, 1 - p))


def symmetric_epsilon(p: float) -> float:
    """Its eps in nats: |ln((1-p)/p)|; infinite for p of 0 or 1."""
    return math.inf if p in (0, 1) else abs(math.log((1 - p) / p))


def geometric_bayes_risk(secrets: int, spacing: float, rate: float) -> float:
    """Bayes risk of L secrets D apart on a line, observed with two-sided exponential noise of rate nu.

    R* = (1 - 1/L) exp(-nu D / 2): the two outer secrets err on one side only.

    Source: metrics 1.2(3), after Cherubin, Chatzikokolakis, Palamidessi, S&P 2019.
    """
    return (1 - 1 / secrets) * math.exp(-rate * spacing / 2)


def neighbour_risk(secrets: int, bayes_risk: float) -> float:
    """Largest risk of the nearest-neighbour rule, as samples grow, at a given Bayes risk.

    R_NN = R* (2 - L R* / (L-1)); reached when all wrong secrets are equally likely.

    Source: Cover, Hart, IEEE Trans. Inf. Theory 13 (1967), 21-27.
    """
    return bayes_risk * (2 - secrets / (secrets - 1) * bayes_risk)
