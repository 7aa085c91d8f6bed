"""What holds for every correct result, whatever was measured (metrics 1.2(7), V28).

Each function returns the broken rules in words, none if all hold; `enforce` makes them an error. They are
cheap, so every result passes through them: a broken one is a mistake of ours, not a finding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import LocalProtocolError
from sessionsim.metrics.estimators import channels
from sessionsim.metrics.estimators.entropies import checked, guesses, min_entropy, renyi, shannon

_SLACK = 1e-9  # Assumption: rounding of sums in double precision


def of_distribution(p: npt.ArrayLike) -> list[str]:
    """Check H_min <= H_2 <= H <= log N and Massey's G >= 2^(H-2) + 1 where H >= 2."""
    array = np.atleast_2d(checked(p))
    low, two, full, tries = min_entropy(array), renyi(array, 2), shannon(array), guesses(array)
    most = math.log2(array.shape[-1])
    rules = (
        ("H_min <= H_2", low <= two + _SLACK),
        ("H_2 <= H", two <= full + _SLACK),
        ("H <= log N", full <= most + _SLACK),
        ("Massey: G >= 2^(H-2) + 1", (full < 2) | (tries >= np.exp2(full - 2) + 1 - _SLACK)),
        ("1 <= G <= (N+1)/2", (tries >= 1 - _SLACK) & (tries <= (array.shape[-1] + 1) / 2 + _SLACK)),
    )
    return [name for name, holds in rules if not np.all(holds)]


def of_channel(channel: npt.ArrayLike, prior: npt.ArrayLike) -> list[str]:
    """Check Fano, Hellman-Raviv, the bounds of I, and leakage against capacity."""
    weight, matrix = checked(prior), checked(channel)
    outputs = weight @ matrix
    equivocation = channels.conditional_entropy_bits(matrix, weight)
    error = 1 - channels.vulnerability(matrix, weight)
    found = channels.information_bits(matrix, weight)
    leak = channels.leakage_bits(matrix, weight)
    rules = (
        ("V >= prior V", leak >= -_SLACK),
        ("Fano", equivocation <= fano_bound(error, len(weight)) + _SLACK),
        ("Hellman-Raviv", error <= equivocation / 2 + _SLACK),
        ("I >= 0", found >= -_SLACK),
        ("I <= H(X)", found <= shannon(weight) + _SLACK),
        ("I <= H(Y)", found <= shannon(outputs / outputs.sum()) + _SLACK),
        ("leakage <= min-capacity", leak <= channels.min_capacity_bits(matrix) + _SLACK),
    )
    return [name for name, holds in rules if not holds]


def fano_bound(error: float, candidates: int) -> float:
    """Most equivocation that an error probability of the best guess allows: h(e) + e log(N-1), bits."""
    e = min(max(error, 0.0), 1.0)
    coin = -sum(q * math.log2(q) for q in (e, 1 - e) if q > 0)
    return coin + (e * math.log2(candidates - 1) if candidates > 2 else 0.0)


def of_coarsening(fine: npt.ArrayLike, merge: npt.ArrayLike, prior: npt.ArrayLike) -> list[str]:
    """Check data processing: observations merged by a map never make V or I larger.

    Args:
        fine: p(observation | secret). merge: new observation per old one, shape (outputs,).
    """
    matrix, target = checked(fine), np.asarray(merge)
    coarse = np.zeros((len(matrix), int(target.max()) + 1))
    np.add.at(coarse.T, target, matrix.T)
    rules = (
        ("coarser never raises V",
         channels.vulnerability(coarse, prior) <= channels.vulnerability(matrix, prior) + _SLACK),
        ("coarser never raises I",
         channels.information_bits(coarse, prior) <= channels.information_bits(matrix, prior) + _SLACK),
    )  # fmt: skip
    return [name for name, holds in rules if not holds]


def of_joining(one: npt.ArrayLike, other: npt.ArrayLike, prior: npt.ArrayLike) -> list[str]:
    """Check that a further observer, independent given the secret, never lowers V."""
    first, second = checked(one), checked(other)
    both = (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)
    joint = channels.vulnerability(both, prior)
    alone = max(channels.vulnerability(first, prior), channels.vulnerability(second, prior))
    return [] if joint >= alone - _SLACK else ["a further observer never lowers V"]


def of_growing(values: Iterable[float]) -> list[str]:
    """Check that what larger and larger coalitions know never falls. Args: values, smallest first."""
    array = np.fromiter(values, dtype=np.float64)
    return [] if np.all(np.diff(array) >= -_SLACK) else ["a larger coalition never knows less"]


def enforce(broken: Iterable[str], result: str) -> None:
    """Make broken rules an error.

    Raises:
        LocalProtocolError: some rule is broken.
    """
    rules = list(broken)
    if rules:
        raise LocalProtocolError(f"{result} breaks {', '.join(rules)}")
