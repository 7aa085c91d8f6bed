"""What a known channel leaks (metrics M9-M15): a matrix of p(observation | secret), rows the secrets.

All of it is exact arithmetic on the matrix; with a channel that was itself estimated from samples these
numbers are biased (`bayes_risk` has the estimator for that case).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sessionsim.metrics.estimators.entropies import checked, shannon

Floats = npt.NDArray[np.float64]


def uniform(secrets: int) -> Floats:
    """Give the prior under which all secrets are equally likely."""
    return np.full(secrets, 1 / secrets)


def prior_vulnerability(prior: npt.ArrayLike) -> float:
    """Chance of the best guess without an observation."""
    return float(checked(prior).max())


def vulnerability(channel: npt.ArrayLike, prior: npt.ArrayLike) -> float:
    """M9: chance of the best guess with one observation; the Bayes risk is 1 minus it.

    Source: Smith, FoSSaCS 2009.
    """
    joint = checked(prior)[:, None] * checked(channel)
    return float(joint.max(axis=0).sum())


def leakage_bits(channel: npt.ArrayLike, prior: npt.ArrayLike) -> float:
    """M10: min-entropy leakage, log of how much better the guess becomes, bits."""
    return math.log2(vulnerability(channel, prior) / prior_vulnerability(prior))


def bayes_capacity(channel: npt.ArrayLike) -> float:
    """Largest factor by which any prior's best guess improves; reached at the uniform prior.

    Source: Braun, Chatzikokolakis, Palamidessi, MFPS 2009.
    """
    return float(checked(channel).max(axis=0).sum())


def min_capacity_bits(channel: npt.ArrayLike) -> float:
    """M11: log of `bayes_capacity`, bits; of a deterministic observation log(number of outputs)."""
    return math.log2(bayes_capacity(channel))


def gain_vulnerability(channel: npt.ArrayLike, prior: npt.ArrayLike, gain: npt.ArrayLike) -> float:
    """M12: expected gain of the best answer, for gains g[answer, secret].

    Source: Alvim, Chatzikokolakis, Palamidessi, Smith, CSF 2012.
    """
    joint = checked(prior)[:, None] * checked(channel)
    return float((np.asarray(gain, dtype=np.float64) @ joint).max(axis=0).sum())


def information_bits(channel: npt.ArrayLike, prior: npt.ArrayLike) -> float:
    """M8: mutual information of secret and observation, bits."""
    weight, matrix = checked(prior), checked(channel)
    outputs = weight @ matrix
    return float(shannon(outputs / outputs.sum()) - weight @ shannon(matrix))


def conditional_entropy_bits(channel: npt.ArrayLike, prior: npt.ArrayLike) -> float:
    """Entropy of the secret that the observation leaves, bits."""
    return float(shannon(prior)) - information_bits(channel, prior)


def capacity_bits(channel: npt.ArrayLike, tolerance: float = 1e-9, rounds: int = 100_000) -> float:
    """M13: Shannon capacity, bits, by Blahut and Arimoto's iteration.

    Args:
        tolerance: bits between the lower and the upper bound at which the iteration ends; their middle is
            given.

    Source: Blahut, IEEE Trans. Inf. Theory 18 (1972), 460-473.
    """
    matrix = checked(channel)
    prior = uniform(len(matrix))
    low = high = 0.0
    for _ in range(rounds):
        outputs = prior @ matrix
        ratio = np.divide(matrix, outputs, where=matrix > 0, out=np.ones_like(matrix))
        divergence = (matrix * np.log2(ratio)).sum(axis=1)
        low, high = float(prior @ divergence), float(divergence.max())
        if high - low < tolerance:
            break
        prior = prior * np.exp2(divergence - high)
        prior /= prior.sum()
    return (low + high) / 2


def epsilon(channel: npt.ArrayLike) -> float:
    """M14: the smallest eps, in nats, with p(y|x) <= e^eps p(y|x') for all; infinite if an output excludes
    a secret."""
    matrix = checked(channel)
    seen = matrix[:, matrix.max(axis=0) > 0]
    with np.errstate(divide="ignore"):
        return float(np.log(seen.max(axis=0) / seen.min(axis=0)).max())


def advantage(world: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """M15: total variation of two distributions of the observation; the best test's TPR minus FPR."""
    return float(np.abs(checked(world) - checked(other)).sum() / 2)
