"""Predecessor and selective denial on paths worked by hand."""

from __future__ import annotations

import numpy as np

from sessionsim.adversary.attacks._predecessor import NOBODY, noted_predecessors, predecessor_scores
from sessionsim.adversary.attacks._selective_denial import selective_denial


def test_who_stands_before_the_first_member() -> None:
    bad = np.array([True, False, False, True])  # nodes 0 and 3; builders are numbered from 4
    paths = np.array([[0, 1, 3], [1, 0, 3], [1, 2, 3], [0, 1, 2], [1, 2, 1]])
    noted = noted_predecessors(paths, np.array([4, 4, 5, 5, 4]), bad)
    assert noted.tolist() == [4, 1, 2, NOBODY, NOBODY]
    assert predecessor_scores(noted, 6).tolist() == [0, 1, 1, 0, 1, 0]


def test_the_builder_is_noted_most_in_the_end() -> None:
    rng = np.random.default_rng(1)
    bad = np.arange(50) < 10
    paths = np.array([rng.choice(50, 3, replace=False) for _ in range(4000)])
    scores = predecessor_scores(noted_predecessors(paths, np.full(4000, 50), bad), 51)
    assert scores.argmax() == 50
    assert scores[50] > 3 * scores[:50].max()


def test_only_useful_and_clean_paths_work() -> None:
    member = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    fate = selective_denial(member)
    assert fate.works.tolist() == [True, True, True, False, False, False]
    assert fate.compromised.tolist() == [False, True, True, False, False, False]
