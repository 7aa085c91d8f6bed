"""V25 (metrics 7): the round trip of an onion over uniformly drawn sites.

Four legs over five sites drawn with replacement, mean round trips, 0 ms within a site, no jitter, no
processing, lines without limit. Published: mean 600 ms, median 592, p95 980, deviation 221 (metrics 5), each
within 2 %. The delays are those of the simulation, so this holds the whole chain from the file to
`Links.delay_us`.
"""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.network.links import LinkRules, Links
from sessionsim.network.places import SITES

RULES = LinkRules(rtt="avg", jitter="none", same_site_rtt_us=0, last_mile_us=0)
N = 100_000  # standard errors: 0.7 ms of the mean, under 2 ms of p95
LEGS = 4


@pytest.fixture(scope="module")
def round_trips_ms() -> np.ndarray:
    links = Links(range(SITES), [0] * SITES, [0] * SITES, RULES)
    one_way = np.array([[links.delay_us(a, b, 1500, 1 << 63) for b in range(SITES)] for a in range(SITES)])
    drawn = Seeds(25).stream("onion-rtt").integers(SITES, size=(N, LEGS + 1))
    there, back = drawn[:, :-1], drawn[:, 1:]
    return (one_way[there, back] + one_way[back, there]).sum(axis=1) / 1000


PUBLISHED_MS = [("mean", 600), ("median", 592), ("p95", 980), ("deviation", 221)]


@pytest.mark.parametrize(("name", "published"), PUBLISHED_MS)
def test_onion_round_trip_meets_the_anchor(round_trips_ms: np.ndarray, name: str, published: float) -> None:
    found = {
        "mean": round_trips_ms.mean(),
        "median": np.quantile(round_trips_ms, 0.5),
        "p95": np.quantile(round_trips_ms, 0.95),
        "deviation": round_trips_ms.std(),
    }[name]
    assert found == pytest.approx(published, rel=0.02)


def test_mean_equals_its_closed_form(round_trips_ms: np.ndarray) -> None:
    """Expectation adds over legs: four times the mean over all ordered pairs, equal ones included."""
    links = Links(range(SITES), [0] * SITES, [0] * SITES, RULES)
    mean_leg = sum(links.base_rtt_us(a, b) for a in range(SITES) for b in range(SITES)) / SITES**2 / 1000
    error = round_trips_ms.std() / np.sqrt(N)
    assert round_trips_ms.mean() == pytest.approx(LEGS * mean_leg, abs=5 * error)
    assert LEGS * mean_leg == pytest.approx(600, rel=0.02)
