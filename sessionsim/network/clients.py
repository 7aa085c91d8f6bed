"""Where clients stand and what lines they have.

The first device of an account draws its country from a stated mix, a site of that country, and one access
line from the measured mean rates of the country (metrics 5). The rates over-state what most people have, so
the median is half the mean, log-normal around it. Further devices are where the first one is, with a line of
their own. Each client has a stream of its own: adding a client moves no other.

Addresses are in 244.0.0.0/6, beside the nodes' block. The first 262,144 clients have a /24 each, so that no
rule about sharing a /24 joins two of them by accident; an address says nothing about the country.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.network.places import sites_of_country

# Mean rates in Mbit/s, down and up. Source: metrics 5, country index of fixed lines, April 2020.
ACCESS_MBIT_PER_S: Final[dict[str, tuple[int, int]]] = {
    "US": (137, 52), "DE": (91, 23), "NL": (113, 62), "FR": (140, 95), "GB": (68, 21), "CA": (126, 55),
    "FI": (84, 39), "SE": (135, 112), "RU": (63, 70), "UA": (51, 55), "IN": (42, 40), "BR": (53, 29),
    "AU": (69, 20), "JP": (105, 128), "SG": (204, 211), "ZA": (35, 23), "NG": (17, 12), "IR": (30, 13),
    "TR": (36, 16), "ID": (21, 13),
}  # fmt: skip

# Assumption: 244.0.0.0/6 for clients, of the block reserved for future use (RFC 1112, section 4).
CLIENT_BLOCK: Final = 244 << 24
_NETS24: Final = 1 << 18  # /24 networks in a /6
_HOSTS: Final = 254

_PART = re.compile(r"\s*([A-Z]{2})\s+(\d{1,6}(?:\.\d{1,6})?)\s*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClientMix:
    """What kind of people use the network."""

    countries: str = setting(
        "US 22, RU 12, DE 10, IR 8, IN 6, GB 6, BR 5, FR 5, CA 4, UA 4, NL 3, TR 3, AU 3, ID 2, JP 2, "
        "SE 1, FI 1, SG 1, ZA 1, NG 1",
        doc="Countries of the clients, each with its weight.",
        source="Assumption: no table of users by country is published (client-behaviour, not found)",
    )
    median_share: float = setting(
        0.5,
        unit="prob",
        doc="Median rate of an access line as a share of its country's mean rate.",
        source="Assumption: about half the mean (metrics 5)",
        low=0.01,
        high=1.0,
    )
    rate_sigma: float = setting(
        0.8,
        doc="Standard deviation of the natural logarithm of a line's rate.",
        source="Assumption: about 0.8 (metrics 5); one draw moves both directions of a line",
        low=0.0,
        high=3.0,
    )
    floor_bit_per_s: int = setting(
        1_000_000,
        unit="bit_per_s",
        doc="No line is slower than this in either direction.",
        source="Assumption: the slowest line on which people still run a messenger all day",
        low=1_000,
    )

    def __post_init__(self) -> None:
        self.weights()

    def weights(self) -> tuple[tuple[str, float], ...]:
        """Read the mix: countries in the order given, with their weights.

        Raises:
            InvalidInput: not "US 22, DE 10", a country without access figures, a country twice, or no weight.
        """
        found: dict[str, float] = {}
        for part in self.countries.split(","):
            match = _PART.match(part)
            if match is None or match[1] not in ACCESS_MBIT_PER_S or match[1] in found:
                known = ", ".join(sorted(ACCESS_MBIT_PER_S))
                raise InvalidInput(
                    "countries", part.strip(), f'parts like "US 22", each country once, of {known}'
                )
            found[match[1]] = float(match[2])
        if not sum(found.values()) > 0:
            raise InvalidInput("countries", self.countries, "at least one weight above 0")
        return tuple(found.items())


@dataclass(frozen=True, slots=True)
class ClientPlace:
    """One device's place.

    Args:
        country: two letters.
        site: 0..221.
        down_bit_per_s, up_bit_per_s: rates of its access line.
        ip: IPv4 address in 244.0.0.0/6 as an integer.
    """

    country: str
    site: int
    down_bit_per_s: int
    up_bit_per_s: int
    ip: int


def place_clients(n: int, mix: ClientMix, seeds: Seeds) -> tuple[ClientPlace, ...]:
    """Place clients 0..n-1. Client k depends on the seed, the mix and k alone: stream ("client-place", k).

    Raises:
        InvalidInput: the mix is not valid.
    """
    weights = mix.weights()
    cumulative = tuple(accumulate(weight for _, weight in weights))
    return tuple(_place(k, weights, cumulative, mix, seeds) for k in range(n))


def place_devices(
    first: Sequence[ClientPlace], further: Sequence[tuple[int, int]], mix: ClientMix, seeds: Seeds
) -> tuple[ClientPlace, ...]:
    """Place further devices, each given as account and number: where the account's first device is.

    A line is drawn as for a first device, from the stream ("client-place", account, number).

    Raises:
        InvalidInput: more devices than addresses.
    """
    found = []
    for k, (account, number) in enumerate(further, len(first)):
        home = first[account]
        line = _line(home.country, mix, seeds.stream("client-place", account, number))
        found.append(ClientPlace(home.country, home.site, *line, client_ip(k)))
    return tuple(found)


def client_ip(k: int) -> int:
    """Give the address of client k, in 244.0.0.0/6: a /24 of its own until all 262,144 are taken."""
    again, net24 = divmod(k, _NETS24)
    if not 0 <= again < _HOSTS:
        raise InvalidInput("client", k, f"0 to {_NETS24 * _HOSTS - 1}")
    return CLIENT_BLOCK + (net24 << 8) + again + 1


def _place(
    k: int,
    weights: tuple[tuple[str, float], ...],
    cumulative: tuple[float, ...],
    mix: ClientMix,
    seeds: Seeds,
) -> ClientPlace:
    stream = seeds.stream("client-place", k)
    which, where = stream.random(2).tolist()
    # A draw stays below the total, and a country of weight 0 has no width, so it is never chosen.
    country = weights[bisect_right(cumulative, which * cumulative[-1])][0]
    down, up = _line(country, mix, stream)
    near = sites_of_country(country)
    return ClientPlace(country, near[int(where * len(near))], down, up, client_ip(k))


def _line(country: str, mix: ClientMix, stream: np.random.Generator) -> tuple[int, int]:
    """Draw an access line of a country: bit/s down and up."""
    factor = mix.median_share * math.exp(mix.rate_sigma * stream.standard_normal())
    down, up = (max(mix.floor_bit_per_s, round(mean * 1e6 * factor)) for mean in ACCESS_MBIT_PER_S[country])
    return down, up
