"""Clients' countries, lines and addresses."""

from __future__ import annotations

import math
from collections import Counter
from statistics import NormalDist, mean, stdev

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import facts_of
from sessionsim.network.clients import ACCESS_MBIT_PER_S, ClientMix, client_ip, place_clients
from sessionsim.network.places import sites_of_country


def test_default_mix_is_a_whole_of_countries_with_known_rates() -> None:
    weights = dict(ClientMix().weights())
    assert sum(weights.values()) == 100
    assert set(weights) == set(ACCESS_MBIT_PER_S)


@pytest.mark.parametrize(
    "text", ["", "US", "US 1, US 2", "us 1", "XX 3", "US -1", "US 1;DE 2", "US nan", "US 0", "IS 4"]
)
def test_wrong_mix_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="countries"):
        ClientMix(countries=text)


def test_every_setting_is_named_an_assumption() -> None:
    assert all(facts.is_assumption for facts in facts_of(ClientMix).values())


def test_countries_come_out_as_the_mix_says() -> None:
    n = 4000
    drawn = Counter(
        place.country for place in place_clients(n, ClientMix(countries="DE 3, US 1, FR 0"), Seeds(1))
    )
    assert set(drawn) == {"DE", "US"}
    # Within five standard deviations of the binomial.
    assert abs(drawn["DE"] - 0.75 * n) < 5 * math.sqrt(n * 0.75 * 0.25)


def test_clients_stand_at_sites_of_their_country_all_of_which_are_used() -> None:
    placed = place_clients(600, ClientMix(countries="GB 1, IR 1"), Seeds(2))
    assert all(place.site in sites_of_country(place.country) for place in placed)
    assert {place.site for place in placed if place.country == "GB"} == set(sites_of_country("GB"))
    assert {place.site for place in placed if place.country == "IR"} == set(sites_of_country("AE"))


def test_rates_are_log_normal_about_half_the_mean() -> None:
    n = 4000
    placed = place_clients(n, ClientMix(countries="DE 1", floor_bit_per_s=1000), Seeds(3))
    for rates, mean_mbit in (
        ([p.down_bit_per_s for p in placed], 91),
        ([p.up_bit_per_s for p in placed], 23),
    ):
        logs = [math.log(rate) for rate in rates]
        within = NormalDist().inv_cdf(1 - 1e-6)
        assert abs(mean(logs) - math.log(mean_mbit * 1e6 / 2)) < within * 0.8 / math.sqrt(n)
        assert abs(stdev(logs) - 0.8) < within * 0.8 / math.sqrt(2 * n)


def test_no_line_is_slower_than_the_floor() -> None:
    placed = place_clients(500, ClientMix(countries="NG 1", floor_bit_per_s=5_000_000), Seeds(4))
    assert min(place.up_bit_per_s for place in placed) == 5_000_000
    assert max(place.up_bit_per_s for place in placed) > 5_000_000


def test_client_is_placed_the_same_however_many_there_are() -> None:
    mix, seeds = ClientMix(), Seeds(5)
    assert place_clients(50, mix, seeds)[:7] == place_clients(7, mix, seeds)
    assert place_clients(7, mix, Seeds(6)) != place_clients(7, mix, seeds)
    assert place_clients(0, mix, seeds) == ()


def test_addresses_lie_in_their_block_with_a_24_each() -> None:
    first = [client_ip(k) for k in range(1000)]
    assert len({ip >> 8 for ip in first}) == 1000
    assert all(ip >> 26 == 244 >> 2 and ip & 255 == 1 for ip in first)
    assert client_ip(262_144) == client_ip(0) + 1
    assert client_ip(262_144 * 254 - 1) == (248 << 24) - 2


@pytest.mark.parametrize("k", [-1, 262_144 * 254])
def test_client_beyond_the_block_is_refused(k: int) -> None:
    with pytest.raises(InvalidInput, match="client"):
        client_ip(k)


def test_places_carry_the_addresses() -> None:
    assert [place.ip for place in place_clients(3, ClientMix(), Seeds(1))] == [client_ip(k) for k in range(3)]
