"""Check of the delays between places: the onion round trip over uniform sites: V25."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import Seeds
from sessionsim.network.links import LinkRules, Links
from sessionsim.network.places import SITES
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, by_count, by_mean, published
from sessionsim.selfcheck.validate._parameter import seed, whole, word

Floats = npt.NDArray[np.float64]

_PUBLISHED = {"mean": 600.0, "median": 592.0, "p95": 980.0, "deviation": 221.0}  # ms, metrics 5; 2 % each
_PROBS = {"median": 0.5, "p95": 0.95}


@check(
    "onion-rtt", "V25", source="metrics 5, rtt_site_pairs.csv",
    legs=whole(4, "legs of a round trip, over one site more", 1, 12),
    rtt=word("avg", "the measured round trip that counts: avg or min", ("avg", "min")),
    trips=whole(100_000, "round trips drawn", 1000, 10_000_000, reduced=30_000),
    seed=seed(),
)  # fmt: skip
def onion_rtt(legs: int, rtt: str, trips: int, seed: int) -> Iterator[Finding]:
    """Round trip over sites drawn with replacement, by the simulation's delays, against its exact law."""
    rules = LinkRules(rtt=rtt, jitter="none", same_site_rtt_us=0, last_mile_us=0)
    links = Links(range(SITES), [0] * SITES, [0] * SITES, rules)
    one_way = np.array([[links.delay_us(a, b, 1500, 1 << 63) for b in range(SITES)] for a in range(SITES)])
    pair_ms = np.array([[links.base_rtt_us(a, b) for b in range(SITES)] for a in range(SITES)]) / 1000
    drawn = Seeds(seed).stream("validate", "onion-rtt").integers(SITES, size=(trips, legs + 1))
    there, back = drawn[:, :-1], drawn[:, 1:]
    found = (one_way[there, back] + one_way[back, there]).sum(axis=1) / 1000
    # The expectation adds over legs, equal sites included; 1 us of rounding a direction.
    rounding = legs * 0.002
    yield by_mean("mean, ms", legs * float(pair_ms.mean()), found, slack=rounding)
    law = _law(pair_ms, legs)
    for name, probability in _PROBS.items():
        value = int(np.searchsorted(np.cumsum(law), probability))
        share, below = float(law[: value + 1].sum()), int((found < value + 0.5).sum())
        yield by_count(f"trips below the exact {name} of {value} ms", share, below, trips, slack=0.002)
    if (legs, rtt) == (4, "avg"):
        got = {
            "mean": found.mean(),
            "median": np.median(found),
            "p95": np.quantile(found, 0.95),
            "deviation": found.std(),
        }
        for name, known in _PUBLISHED.items():
            yield published(f"{name}, ms", known, float(got[name]), 0.02 * known)


def _law(pair_ms: Floats, legs: int) -> Floats:
    """Distribution of the sum over a walk of sites, in whole ms, by its characteristic function."""
    whole = np.rint(pair_ms).astype(int)
    longest = int(whole.max()) + 1
    size = 2 * (-(-longest * legs // 2))
    out = np.empty(size // 2 + 1, dtype=np.complex128)
    for k in range(len(out)):
        turn = np.exp(-2j * np.pi * k / size * np.arange(longest))[whole] / len(pair_ms)
        state = np.full(len(pair_ms), 1 / len(pair_ms), dtype=np.complex128)
        for _ in range(legs):
            state = turn @ state
        out[k] = state.sum()
    # Rounding to whole ms moves a leg by at most half of one, as often up as down.
    law: Floats = np.maximum(np.fft.irfft(out, size), 0)
    return law
