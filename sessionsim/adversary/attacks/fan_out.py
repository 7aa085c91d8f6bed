"""Fan-out: stores of one size in several inboxes within a moment are one message to several people (2b).

Session sends a message to a group's members, and every message to the sender's other devices, as stores of
about the same size at nearly the same time. Equal sizes make coincidences by chance rarer: by the sum of the
squared shares of the size classes. Otherwise as `co-occurrence`.

Source: Bahramali, Soltani, Houmansadr, Goeckel, Towsley, NDSS 2020; metrics 2b (Session-specific feature).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sessionsim.adversary._attacks import ATTACKS
from sessionsim.adversary.attacks._coincidences import Floats, Ints, near_pairs
from sessionsim.adversary.attacks.co_occurrence import Config as CoOccurrenceConfig
from sessionsim.adversary.attacks.co_occurrence import CoOccurrence
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config(CoOccurrenceConfig):
    """How alike two sizes must be."""

    slack_bytes: int = setting(
        160, unit="bytes", doc="By how much the sizes of copies may differ.",
        source="messages 2.1: padding to 160 bytes; a sync copy names its recipient", low=0, high=100_000,
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Bahramali et al., NDSS 2020; metrics 2b")
class FanOut(CoOccurrence):
    """Contacts among accounts by stores of about one size at the same moments."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._slack = config.slack_bytes

    def _near(self, when: Floats, of: Ints, size: Ints) -> tuple[Ints, Ints]:
        first, second = near_pairs(when, of, self._window_s)
        alike = np.abs(size[first] - size[second]) <= self._slack
        return first[alike], second[alike]

    def _alike(self, size: Ints) -> float:
        values, counts = np.unique(size, return_counts=True)
        share = counts / counts.sum()
        begin = np.searchsorted(values, values - self._slack, "left")
        end = np.searchsorted(values, values + self._slack, "right")
        total = np.r_[0.0, np.cumsum(share)]
        return float((share * (total[end] - total[begin])).sum())
