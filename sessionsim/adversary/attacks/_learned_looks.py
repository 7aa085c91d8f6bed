"""What requests of known purpose looked like on training seeds, for attacks that compare with them.

Source: metrics 2e (features per burst, k-NN).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sessionsim.adversary.attacks._events import requests
from sessionsim.adversary.attacks._looks import Floats, looks, simulated
from sessionsim.adversary.attacks._neighbours import Neighbours
from sessionsim.core.settings import setting
from sessionsim.core.verdict import Example, Question


def gaps_setting() -> Any:
    """Declare whether times are looked at."""
    return setting(
        True, doc="Whether gaps between requests are looked at, or sizes alone.",
        source="metrics 2e: sizes, count, gap, symmetric pair",
    )  # fmt: skip


def examples_setting(what: str) -> Any:
    """Declare how much is learned from. Args: what: what is counted, in the plural."""
    return setting(
        50_000, doc=f"How many training {what} are kept at most, evenly spread over the run.",
        source="Assumption: more change nothing and take memory", low=10, high=10_000_000,
    )  # fmt: skip


def learned_looks(
    examples: Sequence[Example],
    question: Question,
    gaps: bool,
    most: int,
    name: Callable[[Sequence[str]], str],
) -> Neighbours | None:
    """Learn how requests with a known answer look.

    Args:
        question: whose answers the labels are, by row.
        gaps: whether times are looked at.
        most: how many requests are kept.
        name: gives the class of a request with these answers.

    Returns:
        Requests by look and class; None if no request has an answer.
    """
    points, labels = list[Floats](), list[str]()
    for example in examples:
        answers = example.labels[question]
        found = simulated(requests(example.view))
        for row, point in zip(found.row.tolist(), looks(example.view, found, gaps), strict=True):
            if f"row:{row}" in answers:
                points.append(point)
                labels.append(name(answers[f"row:{row}"]))
    step = max(1, len(points) // most)
    return Neighbours(points[::step], labels[::step]) if points else None
