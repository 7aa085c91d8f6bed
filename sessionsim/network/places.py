"""Where node hosts and clients stand: which of 222 measured hosting sites, chosen by country.

Round-trip times are known between sites (`links.py`), so everything that sends is put at a site. Which city
a site is was inferred and is right at the level of a region only (`data/LICENCES.md`), so a host is not put
at a particular city: it draws one of the sites of its country, and all nodes of the host stand there.

Three countries of the node lists have no site: Iceland, Iran and the Seychelles. Such a country uses the
sites of the nearest country that has some, by great-circle distance from its centre to the nearest site:
Norway, the United Arab Emirates and Tanzania. Iceland carries 3.9 to 4.8 % of the nodes.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Final, NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.network.snapshots import Snapshot
from sessionsim.network.tables import TableForm, read_table

FORM: Final = TableForm(
    "rtt_sites.csv",
    "site,inferred_city,inferred_country,lat,lon",
    "fa5381abfa94eeab3ae03de42be56c27c20c9376eaa416e2ecec6a69c4f011da",
)
SITES: Final = 222

# Two-letter codes of the countries of `rtt_sites.csv`. Source: ISO 3166-1; XK is in general use for Kosovo.
_CODE_OF: Final[dict[str, str]] = {
    "Albania": "AL", "Algeria": "DZ", "Argentina": "AR", "Australia": "AU", "Austria": "AT",
    "Bangladesh": "BD", "Belgium": "BE", "Brazil": "BR", "Bulgaria": "BG", "Cambodia": "KH", "Canada": "CA",
    "Chile": "CL", "China": "CN", "Colombia": "CO", "Costa Rica": "CR", "Croatia": "HR", "Cyprus": "CY",
    "Denmark": "DK", "Ecuador": "EC", "Egypt": "EG", "Estonia": "EE", "Finland": "FI", "France": "FR",
    "Georgia": "GE", "Germany": "DE", "Ghana": "GH", "Greece": "GR", "Guatemala": "GT", "Honduras": "HN",
    "Hong Kong": "HK", "Hungary": "HU", "India": "IN", "Indonesia": "ID", "Ireland": "IE",
    "Isle of Man": "IM", "Israel": "IL", "Italy": "IT", "Japan": "JP", "Kazakhstan": "KZ", "Kenya": "KE",
    "Kosovo": "XK", "Latvia": "LV", "Lebanon": "LB", "Lithuania": "LT", "Luxembourg": "LU",
    "Malaysia": "MY", "Malta": "MT", "Mexico": "MX", "Moldova": "MD", "Morocco": "MA", "Netherlands": "NL",
    "New Zealand": "NZ", "Nigeria": "NG", "Norway": "NO", "Pakistan": "PK", "Panama": "PA", "Peru": "PE",
    "Philippines": "PH", "Poland": "PL", "Portugal": "PT", "Puerto Rico": "PR", "Romania": "RO",
    "Russia": "RU", "Saudi Arabia": "SA", "Serbia": "RS", "Singapore": "SG", "Slovakia": "SK",
    "Slovenia": "SI", "South Africa": "ZA", "South Korea": "KR", "Spain": "ES", "Suriname": "SR",
    "Sweden": "SE", "Switzerland": "CH", "Taiwan": "TW", "Tanzania": "TZ", "Thailand": "TH",
    "Tunisia": "TN", "Turkey": "TR", "Uganda": "UG", "Ukraine": "UA", "United Arab Emirates": "AE",
    "United Kingdom": "GB", "United States": "US", "Uruguay": "UY", "Venezuela": "VE", "Vietnam": "VN",
}  # fmt: skip

# Centres of countries without a site, degrees north and east. Source: CIA World Factbook, geographic
# coordinates, rounded to whole degrees. The first three occur in the shipped node lists, the rest may in a
# person's own.
_CENTRES: Final[dict[str, tuple[int, int]]] = {
    "IS": (65, -18), "IR": (32, 53), "SC": (-5, 56),
    "AM": (40, 45), "AZ": (40, 48), "BA": (44, 18), "BH": (26, 51), "BO": (-17, -65), "BY": (53, 28),
    "CZ": (50, 16), "ET": (8, 38), "IQ": (33, 44), "JO": (31, 36), "KW": (30, 46),
    "LI": (47, 10), "LK": (7, 81), "ME": (42, 19), "MK": (42, 22), "NP": (28, 84), "OM": (21, 57),
    "PY": (-23, -58), "QA": (26, 51), "UZ": (41, 64),
}  # fmt: skip

_DEGREES = re.compile(r"-?\d{1,3}(\.\d+)?\Z", re.ASCII)


class Site(NamedTuple):
    """A hosting site. Args: country: two letters, inferred; lat, lon: degrees north and east, inferred."""

    country: str
    lat: float
    lon: float


def place_hosts(snapshot: Snapshot, seeds: Seeds) -> tuple[int, ...]:
    """Give each node the site of its host: drawn among the sites of the country, stream ("place", host).

    Returns:
        One site, 0..221, per node. Nodes of one host share a site.

    Raises:
        InvalidInput: a country whose place is not known.
    """
    return tuple(
        _pick(sites_of_country(country), seeds.address("place", host))
        for host, country in zip(snapshot.host, snapshot.country, strict=True)
    )


def sites_of_country(code: str) -> tuple[int, ...]:
    """List the sites of a country, or of the nearest country that has some.

    Args:
        code: two capital letters.

    Raises:
        InvalidInput: the country has no site and its centre is not in the table.
    """
    return _by_country()[country_used(code)]


@lru_cache(maxsize=512)
def country_used(code: str) -> str:
    """Tell whose sites stand for a country: itself, or the nearest country that has a site.

    Raises:
        InvalidInput: as `sites_of_country`.
    """
    if code in _by_country():
        return code
    if code not in _CENTRES:
        known = ", ".join(sorted((*_by_country(), *_CENTRES)))
        raise InvalidInput("country", code, f"a country whose place is known: {known}")
    lat, lon = _CENTRES[code]
    return min(sites(), key=lambda site: great_circle_km(lat, lon, site.lat, site.lon)).country


@lru_cache(maxsize=1)
def sites() -> tuple[Site, ...]:
    """Read the 222 sites; the position is the site's number."""
    name, rows = read_table(FORM)
    found = []
    for line, (number, _, country, lat, lon) in enumerate(rows, 2):
        if (
            number != str(line - 2)
            or country not in _CODE_OF
            or not (_DEGREES.match(lat) and _DEGREES.match(lon))
        ):
            raise InvalidInput(
                f"{name}:{line}", f"{number},{country},{lat},{lon}", "a known place, sites in order"
            )
        found.append(Site(_CODE_OF[country], float(lat), float(lon)))
    return tuple(found)


def great_circle_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Distance on a sphere of radius 6,371 km (IUGG mean radius) by the haversine formula; degrees in."""
    a, b, c, d = (math.radians(x) for x in (lat_a, lon_a, lat_b, lon_b))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(h))


@lru_cache(maxsize=1)
def _by_country() -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for number, site in enumerate(sites()):
        found.setdefault(site.country, []).append(number)
    return {code: tuple(numbers) for code, numbers in found.items()}


def _pick(choices: tuple[int, ...], draw: int) -> int:
    return choices[draw * len(choices) >> 64]
