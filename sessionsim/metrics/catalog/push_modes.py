"""How much sooner phones in fast mode have what people write than those in slow mode, and at what price.

A message and one phone of a reader count: the time from the wish to send until that phone shows it. Fast
phones are told by their push platform, slow ones find out by polling; desktops have no such choice and are
left out. What a phone does not show before the run ends is not among the times: `delivery` counts it. The
price is what the platform learns of each push that brought something: that there was one, when, and of which
size. Nothing is said of runs without fast phones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sessionsim.core.arrivals import SPOKEN
from sessionsim.core.readings import Reading
from sessionsim.core.settings import setting
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading, share, units_of
from sessionsim.metrics._registry import METRICS
from sessionsim.metrics._times import readings_of_times

MODES = ("fast mode", "slow mode")
QUANTILES = (("p50", 0.50), ("p95", 0.95))


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the comparison."""

    min_beyond: int = setting(
        10,
        doc="Values that must be expected beyond a quantile before it is given",
        source="metrics 0.3: no rate below 10/n",
        low=1,
    )


@METRICS.register(config=Config, source="client-behaviour 6.4; threat-model Q11")
class PushModes:
    """Time until a phone shows a message, in fast and in slow mode; pushes that carried the message."""

    def __init__(self, config: object) -> None:
        assert isinstance(config, Config)
        self._min_beyond = config.min_beyond

    def tally(self, replicate: Replicate) -> Counts:
        """Collect the times (µs) on phones, with their accounts in parallel; nothing without fast phones."""
        truth = replicate.truth
        devices, rows, messages = truth.devices, truth.deliveries, truth.messages
        fast_ends = devices["endpoint"][devices["fast"].astype(bool)].astype(np.int64)
        if not len(fast_ends):
            return Counts()
        phones = devices["endpoint"][devices["platform"].astype(str) != "desktop"].astype(np.int64)
        message = rows["message"].astype(np.int64)
        spoken = messages["measured"].astype(bool) & np.isin(messages["kind"].astype(str), SPOKEN)
        shown = rows["delivered_us"].astype(np.int64)
        endpoint = rows["endpoint"].astype(np.int64)
        counted = spoken[message] & (rows["copy"].astype(str) == "message") & (shown >= 0)
        counted &= np.isin(endpoint, phones)
        is_fast = np.isin(endpoint, fast_ends)
        samples = {}
        for name, chosen in zip(MODES, (counted & is_fast, counted & ~is_fast), strict=True):
            samples[name] = floats(shown[chosen] - messages["intent_us"].astype(np.int64)[message[chosen]])
            samples[f"{name}, account"] = floats(rows["account"][chosen])
        sums = {"accounts": floats([replicate.n_accounts])} | self._pushes(replicate)
        return Counts(sums, samples)

    @staticmethod
    def _pushes(replicate: Replicate) -> dict[str, np.ndarray]:
        """Count pushes about measured messages, and those of them that carried the message, by account."""
        truth = replicate.truth
        owner = dict(zip(truth.devices["endpoint"].tolist(), truth.devices["account"].tolist(), strict=True))
        message = truth.events["message"].astype(np.int64)
        measured = np.append(truth.messages["measured"].astype(bool), False)  # the last for "no message"
        told = (truth.events["what"].astype(str) == "pushed") & measured[message]
        carried = told & (truth.events["value"].astype(np.int64) >= 0)
        n = replicate.n_accounts

        def by_account(chosen: np.ndarray) -> np.ndarray:
            whose = np.array(
                [owner[end] for end in truth.events["endpoint"][chosen].tolist()], dtype=np.int64
            )
            return floats(np.bincount(whose, minlength=n))

        return {"pushes": by_account(told), "carried": by_account(carried)}

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give mean, p50 and p95 of both modes, and the share of pushes that carried the message."""
        having = [one for one in counts if one.total("accounts")]
        if not having:
            return []
        found: list[Reading] = []
        for name in MODES:
            found += readings_of_times(
                "push-modes", name, having, f"{name}, account", QUANTILES, self._min_beyond
            )
        numbers = {name: sum(one.total(name) for one in having) for name in ("pushes", "carried")}
        carried = share(units_of([(one.sums["carried"], one.sums["pushes"]) for one in having], trial="push"))
        found.append(
            reading("push-modes", "pushes that carried the message", "prob", carried, counts=numbers)
        )
        return found
