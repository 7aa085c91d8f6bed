"""Device count: how many devices poll for an account, from the times of its owner's requests (metrics 2d(3)).

Each device polls at its own interval and phase, and a member sees the requests of all of them under one
account. More devices mean more requests and shorter gaps between them. What gaps and rates go with how many
devices is learned on training seeds.

Source: metrics 2d(3): interleaved poll phases, distinct cursors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sessionsim.adversary._attacks import ATTACKS, Need
from sessionsim.adversary.attacks._events import retrieves
from sessionsim.adversary.attacks._neighbours import Neighbours
from sessionsim.adversary.attacks._trains import rows_of
from sessionsim.core.ledger import Fact
from sessionsim.core.units import US_PER_S
from sessionsim.core.verdict import NEVER, Example, Question, Texts, Verdict, texts, verdict_of
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing to set."""


@ATTACKS.register(config=Config, source="metrics 2d(3)")
class DeviceCount:
    """Number of an account's devices, by rate and gaps of its polls."""

    question = Question.DEVICES
    needs = frozenset({Need.NODES, Need.BYTES})
    learns = True
    open_world = False

    def __init__(self, config: Config) -> None:
        self._known: Neighbours | None = None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn what polls of so many devices look like."""
        points, labels = list[Floats](), list[str]()
        for example in examples:
            names, features = self._features(example.view)
            for name, point in zip(names.tolist(), features, strict=True):
                for label in example.labels[self.question].get(name, ()):
                    points.append(point)
                    labels.append(label)
        self._known = Neighbours(points, labels) if points else None

    def infer(self, view: View, ledger: Sequence[Fact], rng: np.random.Generator) -> Verdict:
        """Give the posterior over numbers of devices for each account that was served."""
        names, features = self._features(view)
        if self._known is None or not len(names):
            return verdict_of(self.question, ())
        posterior = self._known.posterior(features)
        n, kinds = posterior.shape
        return Verdict(
            self.question,
            np.repeat(names, kinds),
            np.tile(texts(self._known.classes), n),
            posterior.ravel(),
            posterior.ravel(),
            np.full(n * kinds, kinds, dtype=np.int64),
            np.full(n * kinds, NEVER, dtype=np.int64),
        )

    def _features(self, view: View) -> tuple[Texts, Floats]:
        """Rate per member asked, its shortest gaps, and distinct cursors in all; shape (accounts, 4)."""
        seen = retrieves(view)
        names, whose = np.unique(seen.account.astype(str), return_inverse=True)
        span_s = max(float(np.ptp(seen.t_us)) / US_PER_S, 1.0) if len(seen.t_us) else 1.0
        rows = []
        for mine in rows_of(whose, len(names)):
            t_s = seen.t_us[mine] / US_PER_S
            members = len(np.unique(seen.node[mine]))
            gaps = np.diff(t_s) if len(t_s) > 1 else np.array([span_s])
            short, usual = np.quantile(gaps, [0.1, 0.5])
            cursors = len(set(seen.cursor[mine].tolist()))
            rows.append([
                np.log(len(t_s) / span_s / members), np.log(1e-3 + short), np.log(1e-3 + usual),
                np.log(cursors),
            ])  # fmt: skip
        return texts(names.tolist()), np.array(rows).reshape(len(rows), 4)
