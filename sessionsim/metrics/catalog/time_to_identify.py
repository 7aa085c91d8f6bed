"""How long an observer must watch until its best guess is right and stays: survival of subjects.

For attacks that say since when their guess stands (long-term ones). A subject whose final best guess is wrong
is censored at the end of the watch, not left out. Curves are Kaplan-Meier within each seed; what is read is
the share identified by a time, averaged over seeds. Times count from the start of the measured phase.

Source: metrics 0.3 (times), 2c (rounds or days to identify).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sessionsim.core.readings import Reading
from sessionsim.core.units import US_PER_DAY, US_PER_H, US_PER_MIN
from sessionsim.metrics._counts import Counts, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import reading, share, units_of
from sessionsim.metrics._judged import SCORED, Which, judge
from sessionsim.metrics._registry import METRICS, NoSettings
from sessionsim.metrics._scored import key, labels, per_account, samples

# Assumption: a grid that runs of minutes, hours and days can all use; times beyond the watch are left out.
TIMES_US: Final = (
    30_000_000, US_PER_MIN, 2 * US_PER_MIN, 3 * US_PER_MIN, 5 * US_PER_MIN, 10 * US_PER_MIN, 20 * US_PER_MIN,
    30 * US_PER_MIN, US_PER_H, 2 * US_PER_H, 4 * US_PER_H, 8 * US_PER_H, US_PER_DAY, 7 * US_PER_DAY,
    14 * US_PER_DAY, 30 * US_PER_DAY,
)  # fmt: skip


@METRICS.register(config=NoSettings, source="metrics 0.3 (right-censored times), 2c")
class TimeToIdentify:
    """Share of subjects identified by a time, those never identified censored."""

    reads_verdicts = True

    def __init__(self, config: object) -> None:
        self._config = config

    def tally(self, replicate: Replicate) -> Counts:
        """Collect, per subject, since when its right guess stands; the watch's length where it does not."""
        found, watch = Counts(), replicate.truth.end_us - replicate.truth.start_us
        for one in judge(replicate, roles=(SCORED,)):
            outcome = one.outcome
            # A single message is known or not; only of lasting subjects one can ask how long it took.
            lasting = one.question.facts.subject in ("account", "addr")
            if not isinstance(outcome, Which) or not lasting or not (outcome.t_us >= 0).any():
                continue
            right = (outcome.first >= 1) & (outcome.t_us >= 0)
            since = np.clip(outcome.t_us - replicate.truth.start_us, 1, watch)
            found = found + Counts(
                {},
                {
                    key(one, "since"): floats(np.where(right, since, watch)),
                    key(one, "met"): floats(right),
                    key(one, "owner"): floats(outcome.owner),
                    key(one, "watch"): floats([watch]),
                    key(one, "accounts"): floats([replicate.n_accounts]),
                },
            )
        return found

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the share identified by each time of the grid that lies within the watch."""
        found = []
        for label in labels(counts, "since"):
            since, met, owner, watch, accounts = (
                samples(counts, label, SCORED, name)
                for name in ("since", "met", "owner", "watch", "accounts")
            )
            shortest = min(float(one[0]) for one in watch)
            for t_us in (t for t in TIMES_US if t <= shortest):
                # Everybody is watched equally long, so nobody is censored before `t_us` and Kaplan-Meier's
                # curve is the plain share.
                per_seed = [
                    (
                        per_account(who, (when <= t_us) & (event > 0), int(n[0])),
                        per_account(who, np.ones(len(who)), int(n[0])),
                    )
                    for when, event, who, n in zip(since, met, owner, accounts, strict=True)
                ]
                left = sum(
                    int(((when > t_us) | (event == 0)).sum()) for when, event in zip(since, met, strict=True)
                )
                numbers = {
                    "by us": float(t_us),
                    "subjects": float(sum(map(len, since))),
                    "at risk": float(left),
                }
                name, value = f"{label}: identified within {t_us // 1_000_000} s", share(units_of(per_seed))
                found.append(reading("time-to-identify", name, "prob", value, counts=numbers))
        return found
