"""Time zone: how many hours ahead of UTC does the owner of an account live (metrics 2d(6))?

People are busy by their own clock. The hours at which something is done at an account's boxes, its owner's
requests and what is stored there, are held against the hours of people whose zone is known, from training
seeds; the shift under which they agree best is the guess. What is done within a few minutes counts once, as
one look at a screen makes many requests. Hours that the view covers in part or twice count by how long they
were looked at.

Source: metrics 2d(6) (time zone from the activity histogram), M16 (hours around the circle).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import retrieves, stores
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_H, US_PER_MIN
from sessionsim.core.verdict import Example, Guess, Question, Verdict, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]

_HOURS: Final = 24
_OFFSETS: Final = np.arange(-11, 13)  # Source: hours ahead of UTC in use, halves left out: an Assumption
_BURST_US: Final = 5 * US_PER_MIN  # Assumption: a look at the messenger is over by then


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing to set."""


@ATTACKS.register(config=Config, source="metrics 2d(6), M16")
class TimeZone:
    """Time zone of an account, by the hours at which something is done at its boxes."""

    question = Question.TIME_ZONE
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = True
    open_world = False

    def __init__(self, config: Config) -> None:
        self._day: Floats | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn how busy people are in each hour of their own day."""
        day = np.zeros(_HOURS)
        for example in examples:
            labels = example.labels[self.question]
            looked = exposure(example.view)
            for name, counts in hours_of(example.view).items():
                for offset in labels.get(name, ()):
                    # An hour looked at for longer shows more; what is learned is a rate.
                    rate = np.divide(counts, looked, out=np.zeros(_HOURS), where=looked > 0)
                    day += np.roll(rate / max(rate.sum(), 1e-12), round(float(offset)))
        self._day = (day + 0.5 / _HOURS) / (day.sum() + 0.5) if day.sum() else None

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give the likeliest offset of each account."""
        if self._day is None:
            return verdict_of(self.question, ())
        looked = exposure(view)
        return verdict_of(
            self.question,
            [
                Guess(name, "", likeliest(counts, looked, self._day), float("nan"), 0)
                for name, counts in sorted(hours_of(view).items())
            ],
        )


def hours_of(view: View) -> dict[str, Floats]:
    """Count, per account, in how many bursts something was done in each hour of the day, shape (24,)."""
    seen, stored = retrieves(view), stores(view, strangers=False)
    boxes = np.concatenate([seen.account.astype(str), stored.inbox.astype(str)])
    names, whose = np.unique(boxes, return_inverse=True)
    burst = np.concatenate([seen.t_us, stored.t_us]) // _BURST_US
    owner, burst = np.unique(np.stack([whose, burst]), axis=1)
    hour = burst * _BURST_US // US_PER_H % _HOURS
    counts = np.bincount(owner * _HOURS + hour, minlength=len(names) * _HOURS).astype(np.float64)
    return dict(zip(names.tolist(), counts.reshape(len(names), _HOURS), strict=True))


def exposure(view: View) -> Floats:
    """Give for how many hours each hour of the day was looked at, shape (24,)."""
    rows = view.rows["t_us"].astype(np.int64)
    seen = retrieves(view).t_us
    when = np.concatenate([rows, seen])
    if not len(when):
        return np.zeros(_HOURS)
    ends = np.arange(int(when.min()) // US_PER_H, int(when.max()) // US_PER_H + 2) * US_PER_H
    lengths = np.diff(np.clip(ends, when.min(), when.max() + 1)) / US_PER_H
    return np.bincount(ends[:-1] // US_PER_H % _HOURS, lengths, minlength=_HOURS).astype(np.float64)


def likeliest(counts: Floats, looked: Floats, day: Floats) -> float:
    """Give the offset under which the counts are likeliest, hours.

    Args:
        counts: per hour of UTC. looked: for how long each was looked at. day: rates by local hour.
    """
    scores = []
    for offset in _OFFSETS.tolist():
        rate = looked * np.roll(day, -offset)
        share = rate / max(rate.sum(), 1e-300)
        scores.append(float((counts * np.log(np.maximum(share, 1e-300)))[counts > 0].sum()))
    return float(_OFFSETS[int(np.argmax(scores))])
