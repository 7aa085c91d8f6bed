"""The family of attacks: a view in, a verdict out.

An attack never sees truth. What it may learn beforehand comes through `fit`, from views of other seeds with
labels that the experiment made. It says where an observer must stand for it to work at all, and whether its
result depends on how many other people there are; then it is run against a background of them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np

from sessionsim.core.ledger import Fact
from sessionsim.core.registry import Registry
from sessionsim.core.scene import Position
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View


class Need(StrEnum):
    """What a position must offer. The values finish the sentence "the observer …"."""

    LINKS = "taps links of clients or operates nodes that clients talk to"
    NODES = "operates service nodes"
    BYTES = "keeps the bytes it receives (run.keep_bytes)"
    DEVICE = "owns the device of a client"


class Attack(Protocol):
    """What every drop-in of the family offers.

    Attributes:
        question: what it answers.
        needs: what the observer must have.
        open_world: whether other people matter; if not, it is run in the closed world only.
        among_polls: that it looks at polls, so that the background must hold those too; left out if not.
    """

    question: Question
    needs: frozenset[Need]
    open_world: bool

    @property
    def learns(self) -> bool:
        """Tell whether `fit` must be called, with these settings."""

    def __init__(self, config: Any) -> None:
        """Take the settings of one attack of a scenario."""

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn from views of training seeds; an attack that does not learn ignores them."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Conclude.

        Args:
            view: what the observer has, background included.
            ledger: what it knows for certain; empty when bytes were not kept.
            rng: the attack's own chance; equal streams give equal verdicts.

        Returns:
            Guesses; none for a view in which there is nothing to conclude from.
        """


ATTACKS: Final[Registry[type[Attack]]] = Registry("attack", "sessionsim.adversary.attacks")


def lacking(needs: frozenset[Need], position: Position, n_nodes: int, keeps_bytes: bool) -> list[Need]:
    """Name what a position lacks for an attack, in the order of `Need`."""
    nodes = any(endpoint < n_nodes for endpoint in position.entered)
    device = any(endpoint >= n_nodes for endpoint in position.entered)
    has = {
        Need.LINKS: nodes or device or any(endpoint >= n_nodes for endpoint in position.tapped),
        Need.NODES: nodes,
        Need.BYTES: keeps_bytes,
        Need.DEVICE: device,
    }
    return [need for need in Need if need in needs and not has[need]]
