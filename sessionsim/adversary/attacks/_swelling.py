"""Whose answers swell when something is stored for an account: rank sums of bytes, inside and outside.

Source: rank-sum test: Mann, Whitney, Annals of Mathematical Statistics 18, 1947; ties by mean ranks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from sessionsim.adversary.attacks._acts import Acts, Slots
from sessionsim.adversary.attacks._trains import trains_of

Floats = npt.NDArray[np.float64]


def rank_score(inside: npt.ArrayLike, outside: npt.ArrayLike) -> float:
    """Say by how many standard errors the ranks of the first are higher; 0 if either has fewer than two."""
    first, second = np.asarray(inside, dtype=np.float64), np.asarray(outside, dtype=np.float64)
    n, m = len(first), len(second)
    if n < 2 or m < 2:
        return 0.0
    ranks = scipy.stats.rankdata(np.concatenate([first, second]))
    above = float(ranks[:n].sum()) - n * (n + 1) / 2 - n * m / 2
    _, ties = np.unique(ranks, return_counts=True)
    total = n + m
    spread = np.sqrt(n * m / 12 * (total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1))))
    return above / float(spread) if spread > 0 else 0.0


def windows_of(log: Acts, window_us: int) -> dict[str, Slots]:
    """Give, for each account that something was stored for, the times in which that can be fetched."""
    stored = log.of("stored")
    names, whose = np.unique(stored.account.astype(str), return_inverse=True)
    found = dict[str, Slots]()
    for name, t_us in zip(names.tolist(), trains_of(stored.t_us, whose, len(names)), strict=True):
        # Stores of one burst make one window.
        begins = t_us[np.r_[True, np.diff(t_us) > window_us]]
        found[f"account:{name}"] = Slots(begins, begins + window_us)
    return found
