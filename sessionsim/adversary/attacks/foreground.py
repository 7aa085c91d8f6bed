"""Foreground: in which minutes does somebody look at the app behind an address (metrics 2e)?

A phone polls every few seconds while the app is in front and sleeps otherwise, woken now and then for a
moment; a computer polls all the time. How many requests a minute has, how many bytes, and how long its
longest pause is tell them apart; what goes with being looked at is learned on training seeds.

Source: metrics 2e (idle or foreground, per-burst features, k-NN); client-behaviour 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import address_of, requests
from sessionsim.adversary.attacks._learned_looks import examples_setting
from sessionsim.adversary.attacks._looks import simulated
from sessionsim.adversary.attacks._neighbours import Neighbours
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_MIN
from sessionsim.core.verdict import NEVER, Example, Question, Verdict, texts, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FRONT: Final = "front"
_OTHER: Final = ""


@dataclass(frozen=True, slots=True)
class Config:
    """How much is learned from."""

    examples: int = examples_setting("minutes")


@ATTACKS.register(config=Config, source="metrics 2e; client-behaviour 6.1")
class Foreground:
    """Minutes in which the app at an address is in front, by nearest neighbours."""

    question = Question.FOREGROUND_MINUTE
    needs = frozenset({Need.LINKS})
    learns = True
    open_world = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: Neighbours | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn what minutes look like in which somebody looked."""
        points, labels = list[Floats](), list[str]()
        for example in examples:
            truth = example.labels[self.question]
            clients, minutes, features = busy(example.view)
            for k, client in enumerate(clients.tolist()):
                name = address_of(example.view, client)
                if name in truth:
                    points.append(features[k])
                    labels += [
                        _FRONT if f"minute:{minute}" in truth[name] else _OTHER for minute in minutes.tolist()
                    ]
        if not points:
            return
        table = np.concatenate(points)
        step = max(1, len(table) // self._config.examples)
        self._known = Neighbours(table[::step], labels[::step])

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give, for each address and minute, the probability that somebody looks."""
        clients, minutes, features = busy(view)
        known = self._known
        if known is None or _FRONT not in known.classes or not len(clients):
            return verdict_of(self.question, ())
        prob = known.posterior(features.reshape(-1, features.shape[2]))[:, known.classes.index(_FRONT)]
        names = texts([address_of(view, client) for client in clients.tolist()])
        n = len(prob)
        return Verdict(
            self.question,
            np.repeat(names, len(minutes)),
            np.tile(texts([f"minute:{minute}" for minute in minutes.tolist()]), len(names)),
            prob,
            prob,
            np.full(n, len(minutes), dtype=np.int64),
            np.full(n, NEVER, dtype=np.int64),
        )


def busy(view: View) -> tuple[Ints, Ints, Floats]:
    """Give clients, minutes, and what each minute of each looks like: (clients, minutes, 3).

    The three: logarithms of one more than the requests and their bytes, and the longest pause in seconds.
    """
    found = simulated(requests(view))
    if not len(found.t_us):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 0, 3))
    minute = found.t_us // US_PER_MIN
    minutes = np.arange(int(minute.min()), int(minute.max()) + 1)
    clients, whose = np.unique(found.client, return_inverse=True)
    shape = (len(clients), len(minutes))
    cell = whose * len(minutes) + (minute - minutes[0])
    many = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    size = np.bincount(cell, found.wire_bytes, minlength=shape[0] * shape[1]).reshape(shape)
    pause = np.full(shape, 60.0)
    order = np.lexsort((found.t_us, whose))
    sorted_cell, sorted_us = cell[order], found.t_us[order]
    within = np.flatnonzero(np.diff(sorted_cell) == 0)
    longest = np.zeros(shape[0] * shape[1])
    np.maximum.at(longest, sorted_cell[within], np.diff(sorted_us)[within] / 1e6)
    several = (many > 1).ravel()
    pause.ravel()[several] = longest[several]
    return clients.astype(np.int64), minutes, np.stack([np.log2(1 + many), np.log2(1 + size), pause], axis=2)
