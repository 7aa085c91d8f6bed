"""Onset: when does the owner of an account come online (metrics 2d(1))?

The longest silence of an account, the time before its first request included, ends with its owner's return.
Polls come at an interval of which the observer sees a part; the first one seen is late by half a gap on
average, so half of the account's own median gap is taken off. An account without a silence that stands out
has been there all the time, and is left out.

Source: metrics 2d (onset error: polling period T, uniform phase: mean delay to the first poll T/2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import retrieves
from sessionsim.adversary.attacks._trains import trains_of
from sessionsim.core.ledger import Fact
from sessionsim.core.settings import setting
from sessionsim.core.verdict import Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View


@dataclass(frozen=True, slots=True)
class Config:
    """What stands out."""

    times_longer: float = setting(
        10.0, doc="How many times the median gap a silence must last to be an absence.",
        source="Assumption: beyond what chance makes of a thousand gaps", low=1.0, high=10_000.0,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="metrics 2d (presence, onset error)")
class Onset:
    """When an account comes online, by the end of its longest silence at operated members."""

    question = Question.FIRST_SEEN
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = False
    open_world = False

    def __init__(self, config: Config) -> None:
        self._times = config.times_longer

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn nothing: each account's own gaps say how often it polls."""

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give the moment of return of each account that was away."""
        seen = retrieves(view)
        if not len(seen.t_us):
            return verdict_of(self.question, ())
        rows = view.rows["t_us"].astype(np.int64)
        begin_us = int(min(seen.t_us[0], rows.min())) if len(rows) else int(seen.t_us[0])
        guesses = []
        names, whose = np.unique(seen.account.astype(str), return_inverse=True)
        for name, t_us in zip(names.tolist(), trains_of(seen.t_us, whose, len(names)), strict=True):
            found = returned(t_us, begin_us, self._times)
            if found is not None:
                guesses.append(Guess(name, "", found, float("nan"), 0))
        return verdict_of(self.question, guesses)


def returned(seen_us: npt.NDArray[np.int64], begin_us: int, times_longer: float) -> float | None:
    """Give when an owner came back, µs; None for one that was not away.

    Args:
        seen_us: when it was served, ascending. begin_us: since when it was looked for.
        times_longer: see Config.
    """
    gaps = np.diff(seen_us, prepend=begin_us)
    k = int(gaps.argmax())
    others = np.delete(gaps[1:], k - 1) if k else gaps[1:]
    if not len(others):
        return None
    usual = float(np.median(others))
    return float(seen_us[k]) - usual / 2 if gaps[k] > times_longer * usual else None
