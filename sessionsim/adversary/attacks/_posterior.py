"""From weights of pairs to a verdict: sums per candidate, the likeliest kept, the rest left unlisted.

Weights are likelihoods of single events; what belongs to one candidate is added up. `other` is the weight of
everything the observer cannot see; it stays unlisted, so probabilities of a subject sum to less than 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sessionsim.core.verdict import Question, Texts, Verdict, texts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def posterior_verdict(
    question: Question,
    subjects: Texts,
    moment_us: Ints,
    names: Texts,
    pair: tuple[Ints, Ints, Floats],
    other: Floats,
    among: int,
    keep: int,
) -> Verdict:
    """Make the verdict of a `which` question.

    Args:
        subjects, moment_us: terms, and since when each guess stands, shape (subjects,).
        names: terms of all candidates, by number.
        pair: subject number, candidate number and weight of each event that may belong together.
        other: weight, per subject, of what is not seen, 0 or more.
        among: how many candidates there are in all.
        keep: how many of the likeliest are listed per subject.

    Returns:
        Subjects in order, each with its candidates by falling probability, equal ones by number; a subject
        without any candidate has one row with an empty one.
    """
    subject, candidate, weight = pair
    n = len(subjects)
    positive = weight > 0
    combined = subject[positive] * np.int64(max(1, len(names))) + candidate[positive]
    cells, inverse = np.unique(combined, return_inverse=True)
    mass = np.bincount(inverse, weight[positive], len(cells))
    whose, which = cells // max(1, len(names)), cells % max(1, len(names))
    total = np.bincount(whose, mass, n) + other
    prob = mass / total[whose]
    order = np.lexsort((which, -prob, whose))
    whose, which, prob = whose[order], which[order], prob[order]
    begins = np.r_[0, np.cumsum(np.bincount(whose, minlength=n))]
    place = np.arange(len(whose)) - begins[whose]
    whose, which, prob = (column[place < keep] for column in (whose, which, prob))
    alone = np.flatnonzero(np.bincount(whose, minlength=n) == 0)
    rows = np.r_[whose, alone].astype(np.int64)
    named = np.concatenate([names[which] if len(which) else texts([]), texts([""] * len(alone))])
    value = np.r_[prob, np.zeros(len(alone))]
    back = np.argsort(rows, kind="stable")
    rows, value = rows[back], value[back]
    return Verdict(
        question,
        subjects[rows],
        named[back],
        value,
        np.minimum(value, 1.0),
        np.full(len(rows), max(among, 1), dtype=np.int64),
        moment_us[rows].astype(np.int64),
    )
