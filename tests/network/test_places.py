"""Hosts stand in their country, or in the nearest one that has a site."""

from __future__ import annotations

from collections import Counter

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.network import places
from sessionsim.network.places import (
    FORM,
    SITES,
    country_used,
    great_circle_km,
    place_hosts,
    sites,
    sites_of_country,
)
from sessionsim.network.snapshots import load_snapshot, snapshot_dates
from sessionsim.network.tables import read_table


def test_every_country_of_the_table_has_a_code_of_its_own() -> None:
    named = {row[2] for row in read_table(FORM)[1]}
    assert named == set(places._CODE_OF)
    assert len(set(places._CODE_OF.values())) == len(named) == 87
    assert not set(places._CODE_OF.values()) & set(places._CENTRES)


def test_sites_are_read_in_order() -> None:
    assert len(sites()) == SITES
    assert sites()[0] == ("BR", -7.0833, -34.8333)
    assert sites()[1].country == "CN"


def test_countries_share_out_all_sites() -> None:
    shared = [site for code in places._CODE_OF.values() for site in sites_of_country(code)]
    assert sorted(shared) == list(range(SITES))
    assert len(sites_of_country("US")) == 64


@pytest.mark.parametrize(
    ("code", "used"), [("IS", "NO"), ("IR", "AE"), ("SC", "TZ"), ("CZ", "SK"), ("DE", "DE")]
)
def test_country_without_a_site_uses_the_nearest(code: str, used: str) -> None:
    assert country_used(code) == used
    assert sites_of_country(code) == sites_of_country(used)


def test_only_three_countries_of_the_shipped_lists_need_another() -> None:
    countries = {country for date in snapshot_dates() for country in load_snapshot(date).country}
    assert {code for code in countries if country_used(code) != code} == {"IS", "IR", "SC"}


@pytest.mark.parametrize("code", ["XX", "", "de", "Germany"])
def test_unknown_country_is_refused_with_those_known(code: str) -> None:
    with pytest.raises(InvalidInput, match="AE, AL, AM"):
        sites_of_country(code)


def test_distance_of_known_places() -> None:
    # A quarter of the equator, from pole to pole, and no way at all.
    assert great_circle_km(0, 0, 0, 90) == pytest.approx(10007.5, abs=0.1)
    assert great_circle_km(90, 0, -90, 0) == pytest.approx(20015.1, abs=0.1)
    assert great_circle_km(52, 13, 52, 13) == 0


def test_nodes_stand_in_their_country_and_share_the_site_of_their_host() -> None:
    s = load_snapshot("2026-04-28")
    placed = place_hosts(s, Seeds(3))
    assert all(site in sites_of_country(country) for site, country in zip(placed, s.country, strict=True))
    assert len(set(zip(s.host, placed, strict=True))) == len(set(s.host))
    american = {site for site, country in zip(placed, s.country, strict=True) if country == "US"}
    assert len(american) > 50  # hosts are placed one by one: 325 hosts leave few of 64 sites empty


def test_place_depends_on_seed_and_host_alone() -> None:
    whole, small = load_snapshot("2026-04-28"), load_snapshot("2026-04-28", limit_swarms=9)
    placed = dict(zip(whole.node, place_hosts(whole, Seeds(3)), strict=True))
    assert place_hosts(small, Seeds(3)) == tuple(placed[node] for node in small.node)
    assert place_hosts(whole, Seeds(4)) != place_hosts(whole, Seeds(3))


def test_hosts_of_a_country_spread_evenly_over_its_sites() -> None:
    s = load_snapshot("2026-04-28", limit_swarms=1)
    node = s.country.index("US")
    drawn = Counter(place_hosts(s, Seeds(root))[node] for root in range(640))
    # 640 draws over 64 sites: 10 a site on average. The binomial exceeds 28 once in a million sites.
    assert len(drawn) == 64
    assert max(drawn.values()) <= 28
