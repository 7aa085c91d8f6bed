"""From a table of scores to a verdict: the best candidates of each subject, with what they claim."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._choice import posterior
from sessionsim.adversary.attacks._claims import Claims, claimed
from sessionsim.core.verdict import NEVER, Question, Texts, Verdict, verdict_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def ranking(
    question: Question,
    subjects: Texts,
    candidates: Texts,
    scores: Floats,
    keep: int,
    among: int | None = None,
    claims: Claims | None = None,
    t_us: Ints | None = None,
    factor: float | None = None,
) -> Verdict:
    """List the best candidates of each subject.

    Args:
        scores: shape (subjects, candidates); the higher the likelier, -inf for what is ruled out.
        keep: how many of the best are listed; a pair of a term with itself never is.
        among: how many candidates there are in all; None for those given.
        claims: curve from score to probability; None claims nothing.
        factor: of a choice among all candidates given (`_choice`), instead of a curve; their shares.
        t_us: since when each subject's guess stands, shape (subjects,).

    Returns:
        Subjects in order, candidates by falling score, equal ones in the order given; nothing for no subject
        or no candidate.
    """
    n, m = scores.shape
    if not n or not m:
        return verdict_of(question, ())
    same = subjects[:, None] == candidates[None, :]
    usable = np.isfinite(scores) & ~same
    order = np.argsort(-np.where(usable, scores, -np.inf), axis=1, kind="stable")[:, :keep]
    listed = np.take_along_axis(usable, order, axis=1)
    rows, places = np.nonzero(listed)
    which = order[rows, places]
    own = same.any(axis=1).astype(np.int64)
    in_all = np.full(n, m if among is None else max(among, m), dtype=np.int64) - own
    shares = np.full(len(rows), np.nan) if factor is None else posterior(scores, factor)[rows, which]
    moment = np.full(n, NEVER, dtype=np.int64) if t_us is None else t_us
    found = Verdict(
        question,
        subjects[rows],
        candidates[which],
        scores[rows, which],
        shares,
        np.maximum(in_all, 1)[rows],
        moment[rows].astype(np.int64),
    )
    return claimed(found, claims)
