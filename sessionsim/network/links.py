"""How long one transmission takes from endpoint to endpoint.

    delay = half the smallest round trip of the two sites
          + last mile of each end that is a client
          + jitter, drawn from the transmission's own 64-bit number
          + time to put the bytes on the sender's uplink and on the receiver's downlink

The delay is a function of the arguments alone (speed, rule 4). So it is no model of queues, and *order on
one connection is not kept*: of two transmissions sent closely after one another on one TCP connection the
later may arrive first, when its jitter is smaller by more than the gap. Session sends one request per
exchange and waits for its answer, so this touches only exchanges in flight at once between two machines.

Jitter. For each pair of sites the smallest and the mean round trip and the standard deviation were measured.
What a round trip takes above the smallest is split into two independent halves, one per direction: each has
half the mean excess, and the standard deviation over the square root of two, so that both are met over a
round trip. The excess is log-normal with that mean m and deviation s (metrics 5 leaves the choice between
log-normal and gamma; the log-normal has no mass at zero):

    sigma^2 = ln(1 + (s/m)^2)        excess = m exp(sigma z - sigma^2/2),   z standard normal

z comes from a table of 4,096 equally likely steps. The last step is split into 4,096 again, and its last once
more, because for such skewed delays the deviation lies in rare large values: a single table would lose up to
two thirds of it. The mean of every pair is met within 0.3 %, the deviation within 5 % (half the pairs within
0.2 %).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.network.places import SITES
from sessionsim.network.tables import TableForm, read_table

FORM: Final = TableForm(
    "rtt_site_pairs.csv",
    "a,b,rtt_min_ms,rtt_avg_ms,rtt_sd_ms",
    "3b4685ebc9baec5c1478c84ad490b0e1c1cd4caea36aa8cac13c75739e3c2543",
)

Numbers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

_STEPS: Final = 4096  # steps of the quantile table; 12 bits of the draw per level
_LAST: Final = _STEPS - 1


@dataclass(frozen=True, slots=True)
class LinkRules:
    """How delays come about."""

    rtt: str = setting(
        "min",
        doc="Which measured round trip is the base: the smallest (jitter comes on top) or the mean.",
        source="metrics 5: delay = min + excess",
        choices=("min", "avg"),
    )
    jitter: str = setting(
        "measured",
        doc="Whether each transmission draws an excess as measured for its pair of sites.",
        source="metrics 5, rtt_site_pairs.csv",
        choices=("measured", "none"),
    )
    same_site_rtt_us: int = setting(
        500,
        unit="us",
        doc="Round trip between two machines at one site; has no jitter.",
        source="Assumption: 0.5 ms inside a hosting site, which the pair data do not cover",
        low=0,
        high=US_PER_S,
    )
    last_mile_us: int = setting(
        5_000,
        unit="us",
        doc="One-way delay that a client's access line adds to the delay between hosting sites.",
        source="Assumption: 10 ms a round trip, wired and Wi-Fi; mobile networks add 30 to 60 ms (metrics 5)",
        low=0,
        high=US_PER_S,
    )

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("rtt", self.rtt, ("min", "avg")),
            ("jitter", self.jitter, ("measured", "none")),
        ):
            if value not in allowed:
                raise InvalidInput(name, value, " or ".join(allowed))
        if self.rtt == "avg" and self.jitter == "measured":
            raise InvalidInput(
                "rtt", "avg", "avg only with jitter none", "The mean already contains the jitter."
            )


# Of two sites: one-way delay in us without jitter; mean excess in us times exp(-sigma^2/2); sigma.
_Pair = tuple[int, float, float]


class _Arrays:
    """What `Links` knows, for many transmissions at once. Pairs of sites that were not met have least -1."""

    __slots__ = ("extra", "least", "scale", "sigma", "sites")

    def __init__(self, sites: Sequence[int], extra_us: Sequence[int]) -> None:
        self.sites, self.extra = np.array(sites, dtype=np.int64), np.array(extra_us, dtype=np.int64)
        self.least = np.full(SITES * SITES, -1, dtype=np.int64)
        self.scale, self.sigma = np.zeros(SITES * SITES), np.zeros(SITES * SITES)


class Links:
    """The delays between all endpoints of a run.

    Args:
        sites: site 0..221 of each endpoint.
        up_bit_per_s, down_bit_per_s: rates of each endpoint's line; 0 means unlimited, as for nodes. An
            endpoint with a limit in either direction is a client and has a last mile.
        rules: see LinkRules.

    Raises:
        LocalProtocolError: unequal lengths, an unknown site or a negative rate.
        InvalidInput: the shipped table of round trips is missing or damaged.
    """

    __slots__ = ("_down", "_extra", "_known", "_many", "_measured", "_rules", "_sites", "_up")

    def __init__(
        self,
        sites: Sequence[int],
        up_bit_per_s: Sequence[int],
        down_bit_per_s: Sequence[int],
        rules: LinkRules,
    ) -> None:
        if not len(sites) == len(up_bit_per_s) == len(down_bit_per_s):
            raise LocalProtocolError("links: sites and rates differ in length")
        if any(not 0 <= site < SITES for site in sites) or min((0, *up_bit_per_s, *down_bit_per_s)) < 0:
            raise LocalProtocolError("links: a site beyond the table or a negative rate")
        self._sites, self._rules = tuple(sites), rules
        self._measured = measured_pairs()
        self._up = [_us_per_byte(rate) for rate in up_bit_per_s]
        self._down = [_us_per_byte(rate) for rate in down_bit_per_s]
        self._extra = [
            rules.last_mile_us if up or down else 0 for up, down in zip(self._up, self._down, strict=True)
        ]
        # By site pair, filled as pairs are met.
        self._known: list[list[_Pair | None]] = [[None] * SITES for _ in range(SITES)]
        self._many = _Arrays(self._sites, self._extra)

    def delay_us(self, src: int, dst: int, wire_bytes: int, draw: int) -> int:
        """Give the one-way delay of one transmission in us, from its first bit sent to its last bit received.

        Args:
            src, dst: endpoint numbers of sender and receiver.
            wire_bytes: all bytes on the wire.
            draw: uniform 64-bit number of this transmission and no other.
        """
        sites, extra = self._sites, self._extra
        base, scale, sigma = self._known[sites[src]][sites[dst]] or self._pair(sites[src], sites[dst])
        step = draw >> 52
        z = _Z[step] if step != _LAST else _tail(draw)
        us_per_byte = self._up[src] + self._down[dst]
        return base + extra[src] + extra[dst] + int(scale * exp(sigma * z) + wire_bytes * us_per_byte)

    def ways(self, src: Numbers, dst: Numbers) -> tuple[Numbers, Reals, Reals]:
        """Give what delays from endpoints to others are made of, for `delays_us`.

        Args:
            src, dst: endpoint numbers, any one shape.

        Returns:
            Smallest delays in us, scales and sigmas of the jitter, in that shape; the same both ways.
        """
        pairs = self._many.sites[src] * SITES + self._many.sites[dst]
        least = self._many.least[pairs]
        if least.min(initial=0) < 0:
            for pair in np.unique(pairs[least < 0]).tolist():
                a, b = divmod(pair, SITES)
                base, scale, sigma = self._known[a][b] or self._pair(a, b)
                self._many.least[pair], self._many.scale[pair], self._many.sigma[pair] = base, scale, sigma
            least = self._many.least[pairs]
        extra = self._many.extra
        return least + extra[src] + extra[dst], self._many.scale[pairs], self._many.sigma[pairs]

    def us_per_byte(self, src: int, dst: int) -> float:
        """Give how long a byte takes from one endpoint to another, us."""
        return self._up[src] + self._down[dst]

    def base_rtt_us(self, src: int, dst: int) -> int:
        """Give the round trip of two endpoints in us without jitter and without time for bytes."""
        a, b = self._sites[src], self._sites[dst]
        one_way_us = (self._known[a][b] or self._pair(a, b))[0]
        return 2 * (one_way_us + self._extra[src] + self._extra[dst])

    def _pair(self, a: int, b: int) -> _Pair:
        """Give what delays between two sites are made of: smallest one-way us, jitter's scale and sigma."""
        rules = self._rules
        smallest_ms, mean_ms, deviation_ms = self._measured[a][b]
        excess_us = (mean_ms - smallest_ms) * US_PER_MS / 2
        if a == b:
            one_way_us = rules.same_site_rtt_us // 2
        else:
            one_way_us = round((smallest_ms if rules.rtt == "min" else mean_ms) * US_PER_MS / 2)
        if excess_us > 0 and rules.jitter == "measured":
            variance = math.log1p((deviation_ms * US_PER_MS) ** 2 / 2 / excess_us**2)
        else:
            excess_us = variance = 0.0
        pair = self._known[a][b] = (one_way_us, excess_us * exp(-variance / 2), math.sqrt(variance))
        return pair


def delays_us(
    least_us: Numbers, scale: Reals, sigma: Reals, bytes_us: Reals, draws: npt.NDArray[np.uint64]
) -> Numbers:
    """`Links.delay_us` of many transmissions.

    Args:
        least_us, scale, sigma: as `Links.ways` gives them; any shape.
        bytes_us: bytes on the wire × us per byte.
        draws: the number of each transmission.

    The exponential function of numpy may differ from that of `math` in the last bit; in whole microseconds
    that shows about once in 10^12 draws.
    """
    step = (draws >> np.uint64(52)).astype(np.int64)
    z = _TABLE[step]
    for at in np.flatnonzero(step == _LAST).tolist():
        z.flat[at] = _tail(int(draws.flat[at]))
    delays: Numbers = least_us + (scale * np.exp(sigma * z) + bytes_us).astype(np.int64)
    return delays


@lru_cache(maxsize=1)
def measured_pairs() -> tuple[tuple[tuple[float, float, float], ...], ...]:
    """Read smallest and mean round trip and deviation in ms; [a][b] = [b][a], zeros for a = b."""
    name, rows = read_table(FORM)
    pairs: list[list[tuple[float, float, float]]] = [[(0.0, 0.0, 0.0)] * SITES for _ in range(SITES)]
    expected = ((a, b) for a in range(SITES) for b in range(a + 1, SITES))
    for line, ((a, b), row) in enumerate(zip(expected, rows, strict=True), 2):
        try:
            smallest, mean, deviation = (float(text) for text in row[2:])
        except ValueError:
            smallest = mean = deviation = -1.0
        if row[:2] != [str(a), str(b)] or not (0 < smallest <= mean < 1e5 and 0 <= deviation < 1e5):
            raise InvalidInput(f"{name}:{line}", ",".join(row), f"{a},{b} and min <= avg, sd in ms")
        pairs[a][b] = pairs[b][a] = (smallest, mean, deviation)
    return tuple(tuple(row) for row in pairs)


def _us_per_byte(bit_per_s: int) -> float:
    return 8 * US_PER_S / bit_per_s if bit_per_s else 0.0


def _levels() -> tuple[list[float], ...]:
    """Three tables of standard normal quantiles, each refining the last step of the one before.

    A step gives the quantile of its middle. The upper tail of probability p is -(lower quantile of p), which
    keeps its digits where 1 - p would lose them.
    """
    normal = NormalDist()
    return tuple(
        [-normal.inv_cdf((_STEPS - step - 0.5) / _STEPS**level) for step in range(_STEPS)]
        for level in (1, 2, 3)
    )


_Z, _Z2, _Z3 = _levels()
_TABLE: Final = np.array(_Z)


def _tail(draw: int) -> float:
    step = (draw >> 40) & _LAST
    return _Z2[step] if step != _LAST else _Z3[(draw >> 28) & _LAST]
