"""Which servers a run has, where they stand, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.network.places import sites
from sessionsim.network.servers import KINDS, ServerRules, by_kind, place_servers
from sessionsim.protocol.crypto import real

RULES = ServerRules()


def test_by_default_there_is_each_server_that_clients_know_by_name() -> None:
    servers = place_servers(RULES, 100, Seeds(1))
    assert by_kind(servers) == {
        "file": (100,), "push": (101,), "community": (102,), "seed": (103, 104, 105, 106, 107),
        "apple": (108,), "google": (109,), "huawei": (110,), "turn": (111, 112, 113, 114, 115),
        "web": (116,),
    }  # fmt: skip
    assert [server.host for server in servers[:8]] == [
        "filev2.getsession.org", "push.getsession.org", "open.getsession.org", "seed1.getsession.org",
        "seed2.getsession.org", "seed3.getsession.org", "seed4.example", "seed5.example",
    ]  # fmt: skip
    assert [server.address.protocol for server in servers[:3]] == ["http", "https", "https"]
    assert servers[0].address.x25519 == servers[0].x.public == real.x25519_of_ed25519(servers[0].ed).public


def test_a_server_stands_in_its_country_under_an_address_of_its_own() -> None:
    servers = place_servers(RULES, 0, Seeds(7))
    assert [sites()[server.site].country for server in servers] == [server.country for server in servers]
    assert len({server.ip for server in servers}) == len(servers)
    assert {server.ip >> 24 for server in servers} == {248}


def test_a_further_server_moves_no_other() -> None:
    few = place_servers(RULES, 10, Seeds(3))
    more = place_servers(dataclasses.replace(RULES, community_in=("DE", "FR", "JP")), 10, Seeds(3))
    kept = {(server.kind, server.number): server for server in more}
    for server in few:
        other = kept[server.kind, server.number]
        assert (other.ip, other.site, other.x) == (server.ip, server.site, server.x)
    assert [server.owner for server in more if server.kind == "community"] == [
        "server:community", "server:community-1", "server:community-2"
    ]  # fmt: skip


def test_keys_and_sites_come_from_the_seed() -> None:
    assert place_servers(RULES, 0, Seeds(1)) == place_servers(RULES, 0, Seeds(1))
    other = place_servers(RULES, 0, Seeds(2))
    assert all(a.x != b.x for a, b in zip(place_servers(RULES, 0, Seeds(1)), other, strict=True))


def test_kinds_can_be_left_out_or_be_off() -> None:
    servers = place_servers(ServerRules(push_in=(), off=("seed", "file")), 5, Seeds(1))
    assert {server.kind for server in servers} == set(KINDS) - {"push"}
    assert {server.kind for server in servers if server.off} == {"seed", "file"}


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"file_in": ("Germany",)}, "file_in: found 'Germany'"),
        ({"seed_in": ("FI", "XX")}, "seed_in: found 'XX'"),
        ({"file_in": ("DE", "US")}, "file_in: found '2 servers'"),
        ({"seed_in": ("US",) * 101}, "seed_in: found '101 servers'"),
        ({"off": ("files",)}, "off: found 'files'"),
    ],
)
def test_wrong_places_are_refused_by_name(wrong: dict[str, tuple[str, ...]], found: str) -> None:
    with pytest.raises(InvalidInput, match=found):
        ServerRules(**wrong)
