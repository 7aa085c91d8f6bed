"""Times to an event that some never meet while they are watched (metrics 0.3): to compromise, to
identification.

An account without the event is censored at the end of its watch, not counted as safe and not left out;
leaving it out would make every time short. Kaplan-Meier by lifelines, Greenwood's variance on the log-log
scale. One account per row: accounts of one seed share the coalition, so a reading over seeds pools the
`reached` of each seed by `comparison.over_seeds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.metrics._estimate import LEVEL, Estimate, too_few
from sessionsim.metrics.estimators._analysis import analysis

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MIN_ACCOUNTS: Final = 10  # Assumption: with fewer at risk one account moves the curve by over a tenth
_LABEL: Final = "95 % Greenwood, log-log"


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """A survival curve.

    Args:
        time: when something happened, ascending, first 0; unit as given.
        alive: share without the event just after each time; low, high: its interval.
        at_risk: accounts still watched and without the event just before each time.
        n: accounts; events: those that met it.
        longest: the longest watch; beyond it nothing is known.
    """

    time: Floats
    alive: Floats
    low: Floats
    high: Floats
    at_risk: Ints
    n: int
    events: int
    longest: float

    def reached(self, time: float) -> Estimate:
        """Estimate the probability of the event by a time; no value after the longest watch."""
        at = int(np.searchsorted(self.time, time, "right")) - 1
        alive_until = int(self.at_risk[min(at + 1, len(self.at_risk) - 1)])
        if time > self.longest:
            return too_few(_LABEL, 0, "account with so long a watch", MIN_ACCOUNTS)
        if self.n < MIN_ACCOUNTS:
            return too_few(_LABEL, self.n, "account", MIN_ACCOUNTS)
        if self.events == 0 or self.alive[at] == 1:
            bound = 1 - (1 - LEVEL) ** (1 / max(1, alive_until))
            return Estimate(
                0.0, 0.0, bound, f"95 % bound, no case in {alive_until} accounts", self.n, "account"
            )
        value, low, high = (1 - float(x[at]) for x in (self.alive, self.high, self.low))
        if self.alive[at] == 0:
            return Estimate(1.0, 1 - (1 - (1 - LEVEL) ** (1 / self.n)), 1.0, _LABEL, self.n, "account")
        return Estimate(value, min(low, value), max(high, value), _LABEL, self.n, "account")

    def median(self) -> Estimate:
        """Estimate when half have met the event; no value if fewer than half did."""
        below = np.flatnonzero(self.alive <= 0.5)
        if self.n < MIN_ACCOUNTS:
            return too_few(_LABEL, self.n, "account", MIN_ACCOUNTS)
        if not len(below):
            # Half of all would do, whoever was watched for less.
            return too_few(_LABEL, self.events, "account that met it", (self.n + 1) // 2)
        value = float(self.time[below[0]])
        ends = [np.flatnonzero(curve <= 0.5) for curve in (self.low, self.high)]
        low = float(self.time[ends[0][0]]) if len(ends[0]) else value
        high = float(self.time[ends[1][0]]) if len(ends[1]) else self.longest
        return Estimate(value, min(low, value), max(high, value), _LABEL, self.n, "account")


def survival(time: npt.ArrayLike, met: npt.ArrayLike) -> Survival:
    """Estimate a survival curve.

    Args:
        time: of the event, or of the end of the watch, shape (n_accounts,), above 0; n_accounts at least 1.
        met: whether it was the event, shape (n_accounts,).
    """
    with analysis():
        from lifelines import KaplanMeierFitter
    times, events = np.asarray(time, dtype=np.float64), np.asarray(met, dtype=bool)
    fit = KaplanMeierFitter(alpha=1 - LEVEL).fit(times, events)
    table = fit.event_table
    ends = fit.confidence_interval_.to_numpy()
    return Survival(
        fit.survival_function_.index.to_numpy(np.float64),
        fit.survival_function_.to_numpy(np.float64)[:, 0],
        np.nan_to_num(ends[:, 0], nan=0.0),
        np.nan_to_num(ends[:, 1], nan=1.0),
        table["at_risk"].to_numpy(np.int64),
        len(times),
        int(events.sum()),
        float(times.max()),
    )


def numbers_at_risk(curve: Survival, times: Sequence[float]) -> Ints:
    """Count the accounts still watched and without the event just before each time, for under the plot."""
    at = np.searchsorted(curve.time, np.asarray(times, dtype=np.float64), "left")
    inside = at < len(curve.at_risk)
    found: Ints = np.where(inside, curve.at_risk[np.minimum(at, len(curve.at_risk) - 1)], 0)
    return found
