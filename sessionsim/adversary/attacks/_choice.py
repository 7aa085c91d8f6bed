"""Choice among candidates: scores to posteriors by one factor, learned on training seeds (conditional logit).

The probability of a candidate is its share of exp(factor x score) over all candidates. The factor is the one
that makes the true candidates of training seeds likeliest. With the log-likelihood ratio of a right model it
would be 1; dependence between events makes it smaller. More candidates share the same sum, so what was
learned among twenty holds among a million.

Source: McFadden, Conditional Logit Analysis of Qualitative Choice Behavior, 1974; metrics 1.2(6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
_MOST: Final = 1e4  # Assumption: a factor beyond this turns every difference into certainty
_LEAST: Final = 1e-4


def learn_factor(tables: Sequence[tuple[Floats, npt.NDArray[np.int64]]]) -> float | None:
    """Learn the factor; None if no training subject has its truth among the candidates.

    Args:
        tables: per training view, scores of shape (subjects, candidates), and the number of each subject's
            true candidate, -1 where it is none of them.
    """
    known = [(scores[true >= 0], true[true >= 0]) for scores, true in tables if (true >= 0).any()]
    if not known or all(scores.shape[1] < 2 for scores, _ in known):
        return None

    spread = float(np.mean([scores.std() for scores, _ in known]))

    def loss(log_factor: float) -> float:
        # One made-up subject for whom the worse of two candidates, a usual spread below, was the true one:
        # it keeps a perfect separation from being taken for certainty.
        total = float(np.logaddexp(0.0, np.exp(log_factor) * spread))
        for scores, true in known:
            scaled = np.exp(log_factor) * scores
            total += float(
                (scipy.special.logsumexp(scaled, axis=1) - scaled[np.arange(len(true)), true]).sum()
            )
        return total

    bounds = (float(np.log(_LEAST)), float(np.log(_MOST)))
    found = scipy.optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))


def posterior(scores: Floats, factor: float) -> Floats:
    """Give the share of each candidate, shape as given; -inf scores get none."""
    found: Floats = np.asarray(scipy.special.softmax(factor * scores, axis=1), dtype=np.float64)
    return found


def true_columns(
    subjects: Sequence[str], candidates: Sequence[str], labels: dict[str, tuple[str, ...]]
) -> npt.NDArray[np.int64]:
    """Give the number of each subject's true candidate, -1 where it is not among them."""
    place = {name: k for k, name in enumerate(candidates)}
    return np.array(
        [next((place[c] for c in labels.get(name, ()) if c in place), -1) for name in subjects],
        dtype=np.int64,
    )
