"""Presence: in which minutes is the owner of an account online (metrics 2d(1))?

A client polls while it is awake, and every poll is signed, so who runs a member of the swarm sees when. Only
some polls come to its members; a silence is an absence if it is longer than chance makes the silences of a
client that goes on polling: of rate 1/g, g being the account's own median gap, so long a silence has the
probability e^(-L/g). Whoever is woken by a push or by the system for a moment is online in that minute too.

Source: metrics 2d(1) (retrieve polls give online intervals); threat-model Q4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import retrieves
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MIN
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_SURE: Final = 0.99  # Assumption: an owner's request proves a moment, not most of a minute
_LEAST_US: Final = 100_000.0  # Assumption: no client polls faster


@dataclass(frozen=True, slots=True)
class Config:
    """How silences are read."""

    absences_prob: float = setting(
        0.02, unit="prob", doc="Share of the gaps between an account's polls that are absences.",
        source="Assumption: dozens of polls to each absence", low=1e-6, high=0.5,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2d(1); threat-model Q4")
class Presence:
    """Minutes in which an account is online, by its owner's requests at operated members."""

    question = Question.ACTIVE_MINUTE
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._absences = config.absences_prob

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: each account's own gaps say how long its silences are."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give, for each account seen and each minute of the view, the probability that it is online."""
        seen = retrieves(view)
        if not len(seen.t_us):
            return verdict_of(self.question, ())
        names, whose = np.unique(seen.account.astype(str), return_inverse=True)
        when = view.rows["t_us"].astype(np.int64) if len(view.rows["t_us"]) else seen.t_us
        first, last = (int(t_us) // US_PER_MIN for t_us in (min(when.min(), seen.t_us[0]), when.max()))
        minutes = np.arange(first, max(last, int(seen.t_us[-1]) // US_PER_MIN) + 1)
        prob = np.concatenate(
            [online(its, minutes, self._absences) for its in trains_of(seen.t_us, whose, len(names))]
        )
        n = len(prob)
        return Verdict(
            self.question,
            np.repeat(texts(names.tolist()), len(minutes)),
            np.tile(texts([f"minute:{minute}" for minute in minutes.tolist()]), len(names)),
            prob,
            prob,
            np.full(n, len(minutes), dtype=np.int64),
            np.full(n, NEVER, dtype=np.int64),
        )


def online(seen_us: Ints, minutes: Ints, absences: float) -> Floats:
    """Give the probability of being online for each minute.

    Args:
        seen_us: when the owner was served, ascending, at least once.
        minutes: numbers of minutes since time 0.
        absences: share of gaps that are absences.
    """
    gap_us = max(float(np.median(np.diff(seen_us))) if len(seen_us) > 1 else _LEAST_US, _LEAST_US)
    middle = minutes * US_PER_MIN + US_PER_MIN // 2
    after = np.searchsorted(seen_us, middle)
    before = np.where(after > 0, seen_us[np.maximum(after - 1, 0)], -(1 << 60))
    behind = np.where(after < len(seen_us), seen_us[np.minimum(after, len(seen_us) - 1)], 1 << 60)
    silent = np.exp(-np.minimum((behind - before) / gap_us, 700.0))
    prob: Floats = silent * (1 - absences) / (silent * (1 - absences) + absences)
    prob[np.isin(minutes, seen_us // US_PER_MIN)] = _SURE
    return np.minimum(prob, _SURE)
