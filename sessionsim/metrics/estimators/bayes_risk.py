"""The Bayes risk from samples of (secret, observation), by nearest neighbours (metrics 1.2(3)).

Counting fails where observations are many or continuous; a k-NN rule with k growing slower than n reaches
the Bayes risk for every distribution. k is chosen on a validation part, the risk is that of a held-out part,
and it comes with its curve in n: a risk that still falls when n doubles is an upper value, and leakage is
understated by it. `cover_hart` gives a lower value from the 1-NN error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.estimators._analysis import analysis
from sessionsim.metrics.estimators.proportions import wilson

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Risk(NamedTuple):
    """A held-out error. Args: k: neighbours; n: training samples; tested: held-out samples."""

    value: float
    low: float
    high: float
    k: int
    n: int
    tested: int


def cover_hart(secrets: int, neighbour_risk: float) -> float:
    """Lower bound of the Bayes risk from the 1-NN risk R: (L-1)/L (1 - sqrt(1 - L R/(L-1))).

    Args:
        secrets: how many, L, 2 or more.
        neighbour_risk: 0 to (L-1)/L; sampling may bring it above, which counts as (L-1)/L.

    Source: Cover, Hart, IEEE Trans. Inf. Theory 13 (1967), 21-27, solved for the Bayes risk.
    """
    most = (secrets - 1) / secrets
    return most * (1 - math.sqrt(max(0.0, 1 - neighbour_risk / most)))


def neighbours_to_scan(n: int, secrets: int) -> tuple[int, ...]:
    """Give the numbers of neighbours to choose among: ln n, sqrt n, n/(2L). Source: metrics 1.2(3)."""
    wanted = (math.log(n), math.sqrt(n), n / (2 * secrets))
    return tuple(sorted({min(n, max(1, round(k))) for k in wanted}))


def held_out_risk(
    train: tuple[npt.ArrayLike, npt.ArrayLike], test: tuple[npt.ArrayLike, npt.ArrayLike], k: int
) -> Risk:
    """Learn from one part, count errors in the other; equal votes go to one of the nearest secrets.

    Args:
        train, test: secrets (n,) as whole numbers, observations (n,) or (n, features). Split by account
            and seed, never by message.
        k: neighbours, 1 to n.
    """
    with analysis():
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.preprocessing import StandardScaler
    secrets, observed = np.asarray(train[0]), _columns(train[1])
    if not 1 <= k <= len(secrets):
        raise LocalProtocolError(f"{k} neighbours among {len(secrets)} samples")
    scaler = StandardScaler().fit(observed)
    rule = KNeighborsClassifier(n_neighbors=k, algorithm="kd_tree").fit(scaler.transform(observed), secrets)
    tested, wrong = np.asarray(test[0]), 0
    points = scaler.transform(_columns(test[1]))
    block = max(1, 4_000_000 // k)  # neighbours held at once: 64 MB
    for start in range(0, len(tested), block):
        part = slice(start, start + block)
        wrong += int((rule.predict(points[part]) != tested[part]).sum())
    low, high = wilson(wrong, len(tested))
    return Risk(wrong / len(tested), low, high, k, len(secrets), len(tested))


def bayes_risk(
    secrets: npt.ArrayLike, observed: npt.ArrayLike, rng: np.random.Generator, scan: Sequence[int] = ()
) -> Risk:
    """Estimate the Bayes risk: half the samples to learn, a quarter to choose k, a quarter to judge.

    Args:
        secrets: shape (n,), whole numbers; observed: shape (n,) or (n, features). Rows exchangeable.
        scan: numbers of neighbours to choose among; empty for `neighbours_to_scan`.
    """
    labels, points = np.asarray(secrets), _columns(observed)
    order = rng.permutation(len(labels))
    learn, choose, judge = np.split(order, [len(order) // 2, 3 * len(order) // 4])
    train = (labels[learn], points[learn])
    options = scan or neighbours_to_scan(len(learn), len(np.unique(labels)))
    risks = [held_out_risk(train, (labels[choose], points[choose]), k) for k in options]
    best = min(risks, key=lambda risk: risk.value)
    return held_out_risk(train, (labels[judge], points[judge]), best.k)


def _columns(observed: npt.ArrayLike) -> Floats:
    array = np.asarray(observed, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array
