"""Check of the workload generator against quantiles of real messages: V24."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sessionsim.core.errors import InvalidInput
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, at_least, at_most
from sessionsim.selfcheck.validate._parameter import seed, whole
from sessionsim.workload.fits import RATE_BY_SLOWNESS
from sessionsim.workload.patterns.conversations import Config, Conversations
from sessionsim.workload.shape import arrays, ks_distance, send_gaps, shipped_quantiles

# The workload as the data were taken: students of 2004, their rate and their hours.
AS_MEASURED = Config(
    messages_per_day=dict(RATE_BY_SLOWNESS)[1.0], start_hour=0.0, peak_hour=0, day_night_ratio=32.0
)
_BOUND = 0.03  # Source: metrics V24
_FAR = 0.4  # Assumption: what a Poisson workload misses the table by, at least


@check(
    "workload", "V24", source="metrics 4.1, collegemsg_quantiles.json",
    people=whole(300, "people of a world", 100, 5000),
    days=whole(60, "days of a world", 20, 1000),
    worlds=whole(4, "independent worlds", 1, 100, reduced=2),
    gaps=whole(10_000, "gaps drawn from them", 5000, 1_000_000),
    seed=seed(),
)  # fmt: skip
def workload(people: int, days: int, worlds: int, gaps: int, seed: int) -> Iterator[Finding]:
    """Distance of generated send gaps to the shipped quantiles; a Poisson workload must fail."""
    pattern, found = Conversations(AS_MEASURED), []
    for world in range(worlds):
        seeds = Seeds(100 * seed + world)
        src, _, time_s = arrays(pattern.intents(People.alike(people), days * US_PER_DAY, seeds))
        found.append(send_gaps(src, time_s))
    pooled, table = np.concatenate(found), shipped_quantiles("send_gap_s")
    if len(pooled) < gaps:
        raise InvalidInput("validate workload --gaps", gaps, f"at most {len(pooled)}, as many as there are")
    rng = Seeds(seed).stream("validate", "workload")
    drawn = rng.choice(pooled, gaps, replace=False)
    yield at_most("KS distance of send gaps", _BOUND, ks_distance(drawn, table), "bound of V24")
    poisson = rng.exponential(float(pooled.mean()), gaps)
    yield at_least("KS distance of Poisson senders", _FAR, ks_distance(poisson, table), "negative control")
