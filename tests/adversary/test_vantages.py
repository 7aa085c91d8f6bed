from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from sessionsim.adversary import VANTAGES, join
from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Role, Scene, Taking
from sessionsim.core.seeds import Seeds

SEEDS = Seeds(7)
N_NODES = 40
VANTAGES.scan()


SERVERS = {
    "file": (50,), "push": (51,), "community": (52, 53), "seed": (54, 55), "turn": (56,), "apple": (57,),
    "google": (58,),
}  # fmt: skip


def scene(servers: dict[str, tuple[int, ...]] | None = None) -> Scene:
    # Nodes 0-9 share a host, 10-15 a /24, 16-19 a /16; the rest stand alone.
    ip = [0xF0000001] * 10
    ip += [0xF0010100 + i for i in range(6)]
    ip += [0xF0020000 + (i << 8) for i in range(4)]
    ip += [0xF0030000 + (i << 16) for i in range(20)]
    nodes = NodeList(
        ed25519=tuple(bytes([i]) * 32 for i in range(N_NODES)),
        x25519=tuple(bytes([100 + i]) * 32 for i in range(N_NODES)),
        swarm=tuple((0x10, 0xAB)[i % 2] for i in range(N_NODES)),
        ip=tuple(ip),
        port=tuple(22021 for _ in range(N_NODES)),
    )
    return Scene(
        nodes=nodes,
        node_country=tuple("DE" if i < 8 else "US" for i in range(N_NODES)),
        client_endpoints=tuple(range(N_NODES, N_NODES + 10)),
        client_country=("DE", "US") * 5,
        client_platform=("desktop", "ios") * 5,
        client_ids=tuple(bytes([5]) + bytes([i]) * 32 for i in range(10)),
        servers=SERVERS if servers is None else servers,
    )


def choose(kind: str, seeds: Seeds = SEEDS, stage: Scene | None = None, **settings: object) -> Position:
    entry = VANTAGES[kind]
    return entry.factory(entry.config(**settings)).choose(stage or scene(), seeds)


def test_random_snodes_are_the_wanted_share() -> None:
    assert len(choose("snodes", fraction=0.1).operated) == 4
    assert choose("snodes", fraction=0.0) == Position()
    assert choose("snodes", fraction=1.0).operated == frozenset(range(N_NODES))


def test_growing_fractions_are_nested() -> None:
    smaller, larger = (choose("snodes", fraction=f).operated for f in (0.1, 0.3))
    assert smaller < larger


def test_random_choice_follows_seed_and_draw() -> None:
    assert choose("snodes") == choose("snodes")
    assert choose("snodes") != choose("snodes", seeds=Seeds(8))
    assert choose("snodes") != choose("snodes", draw=1)


@pytest.mark.parametrize(
    ("by", "fraction", "expected"),
    [
        ("host", 0.25, range(10)),
        ("host", 0.3, [*range(10), 10, 11]),  # the next hosts hold one node each
        ("net24", 0.4, range(16)),
        ("net16", 0.5, range(20)),
        ("net24", 0.2, [*range(10, 16), 16, 17]),  # the host of ten would overshoot
    ],
)
def test_clusters_are_taken_largest_first_and_whole(by: str, fraction: float, expected: list[int]) -> None:
    assert choose("snodes", by=by, fraction=fraction).operated == frozenset(expected)


def test_snodes_by_country_swarm_and_list() -> None:
    assert choose("snodes", by="country", country="DE").operated == frozenset(range(8))
    assert choose("snodes", by="swarm", swarms=("ab",)).operated == frozenset(range(1, N_NODES, 2))
    assert choose("snodes", by="list", nodes=(3, 5)).operated == frozenset({3, 5})


def test_provider_taps_and_operates_nothing() -> None:
    position = choose("provider", by="list", clients=(0, 3))
    assert position == Position(tapped=frozenset({N_NODES, N_NODES + 3}))
    assert choose("provider", by="platform", platform="ios").tapped == frozenset(
        range(N_NODES + 1, N_NODES + 10, 2)
    )
    assert choose("provider", by="country", country="DE").tapped == frozenset(range(N_NODES, N_NODES + 10, 2))
    assert len(choose("provider", by="count", count=3).tapped) == 3
    assert len(choose("provider", by="fraction", fraction=0.25).tapped) == 3


def test_contact_operates_one_device() -> None:
    assert choose("contact", client=4) == Position(operated=frozenset({N_NODES + 4}))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("snodes", {"by": "country", "country": "XX"}),
        ("snodes", {"by": "swarm", "swarms": ("zz",)}),
        ("snodes", {"by": "swarm", "swarms": ("1",)}),
        ("snodes", {"by": "list", "nodes": (N_NODES,)}),
        ("provider", {"by": "list", "clients": (10,)}),
        ("provider", {"by": "platform", "platform": "palm"}),
        ("provider", {"by": "count", "count": 11}),
        ("contact", {"client": 10}),
        ("guard", {"by": "list", "nodes": (N_NODES,)}),
        ("targeted-swarm", {"client": 10}),
        ("targeted-swarm", {"members": 21}),
        ("region", {"by": "country", "countries": ("DE", "XX")}),
        ("stranger", {"clients": (1, 10)}),
        ("phrase-thief", {"client": 10}),
        ("device-thief", {"client": 10}),
    ],
)
def test_what_is_not_on_the_stage_is_refused(kind: str, settings: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        choose(kind, **settings)


def test_clock_error_is_carried() -> None:
    assert choose("provider", clock_offset_us=-250).clock_offset_us == -250
    assert choose("snodes", clock_offset_us=9).clock_offset_us == 9


def test_coalition_is_the_union_of_its_members() -> None:
    assert choose("coalition", members=("a", "b")) == Position()
    provider, snodes = choose("provider"), choose("snodes", clock_offset_us=5)
    joint = join([provider, snodes])
    assert joint.tapped == provider.tapped
    assert joint.operated == snodes.operated
    assert joint.clock_offset_us == 0
    assert join([]) == Position()


def test_configs_are_frozen_and_documented() -> None:
    for entry in VANTAGES:
        fields = dataclasses.fields(entry.config)
        assert all(field.metadata["facts"].doc and field.metadata["facts"].source for field in fields)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(entry.config(), fields[0].name, 1)


@pytest.mark.parametrize(
    ("kind", "by", "given", "key"),
    [
        ("provider", "fraction", {"clients": (0,)}, "clients"),
        ("provider", "list", {}, "clients"),
        ("provider", "country", {}, "country"),
        ("snodes", "random", {"nodes": (0,)}, "nodes"),
        ("snodes", "list", {"swarms": ("0",), "nodes": (0,)}, "swarms"),
        ("snodes", "swarm", {}, "swarms"),
        ("middle", "random", {"country": "DE"}, "country"),
        ("region", "country", {}, "countries"),
        ("region", "host", {"countries": ("DE",)}, "countries"),
    ],
)
def test_what_a_choice_needs_is_given_and_nothing_in_vain(
    kind: str, by: str, given: dict[str, object], key: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        VANTAGES[kind].config(by=by, **given)
    assert wrong.value.place == key


@pytest.mark.parametrize(
    ("kind", "role"),
    [("guard", Role.GUARD), ("middle", Role.MIDDLE), ("last-hop", Role.LAST), ("swarm-member", Role.MEMBER)],
)
def test_a_role_is_looked_at_on_every_node_unless_told_otherwise(kind: str, role: Role) -> None:
    assert choose(kind) == Position(in_role=frozenset((node, role) for node in range(N_NODES)))
    some = choose(kind, by="list", nodes=(3, 5), clock_offset_us=4)
    assert some == Position(in_role=frozenset({(3, role), (5, role)}), clock_offset_us=4)
    share = choose(kind, fraction=0.1)
    assert {node for node, _ in share.in_role} == choose("snodes", fraction=0.1).operated


def test_operators_own_whole_hosts_and_the_largest_come_first() -> None:
    position = choose("snodes", by="operator", fraction=0.5, operators=8)
    assert 0 < len(position.operated) <= 20
    ips = scene().nodes.ip
    hosts = {ips[node] for node in position.operated}
    assert position.operated == {node for node in range(N_NODES) if ips[node] in hosts}
    assert position != choose("snodes", by="operator", fraction=0.5, operators=8, draw=1)
    assert choose("snodes", by="operator", fraction=1.0).operated == frozenset(range(N_NODES))


def test_one_operator_has_everything_or_nothing() -> None:
    assert choose("snodes", by="operator", operators=1, fraction=1.0).operated == frozenset(range(N_NODES))
    assert choose("snodes", by="operator", operators=1, fraction=0.9) == Position()


def test_a_steeper_law_makes_the_largest_operator_larger() -> None:
    # With 40 nodes on 31 hosts: nobody has half of them by an even law, somebody has by a steep one.
    even, steep = (
        len(choose("snodes", by="operator", operators=31, operator_exponent=x, fraction=0.75).operated)
        for x in (0.0, 4.0)
    )
    assert even == 30  # many small operators fill the share
    assert steep < 30  # the one with nearly all nodes does not fit


def test_targeted_swarm_is_the_victims() -> None:
    # Account 0 is 32 zero bytes, at position 0 of the ring; 0x10 is nearer than 0xab.
    swarm = frozenset(range(0, N_NODES, 2))
    assert len(choose("targeted-swarm").operated) == 1
    assert choose("targeted-swarm").operated <= swarm
    assert choose("targeted-swarm", members=3).operated > choose("targeted-swarm", members=2).operated
    assert choose("targeted-swarm", members=20).operated == swarm


def test_region_taps_nodes_and_clients_of_its_countries() -> None:
    nodes, clients = set(range(8)), set(range(N_NODES, N_NODES + 10, 2))
    assert choose("region", by="country", countries=("DE",)).tapped == nodes | clients
    assert choose("region", by="country", countries=("DE",), access_links=False).tapped == nodes
    both = choose("region", by="country", countries=("DE", "US"))
    assert both.tapped == set(range(N_NODES + 10))
    assert both.operated == frozenset()


def test_region_of_a_hosting_company_is_its_largest_network() -> None:
    assert choose("region", by="host", fraction=0.25).tapped == frozenset(range(10))
    assert choose("region", by="net24", fraction=0.4).tapped == frozenset(range(16))


def test_global_observer_taps_everything_and_runs_nothing() -> None:
    assert choose("global-passive") == Position(tapped=scene().endpoints)
    assert {50, 58, N_NODES, 0} < scene().endpoints


@pytest.mark.parametrize(
    ("kind", "operated"),
    [
        ("file-server", {50}),
        ("push-server", {51}),
        ("community-server", {52, 53}),
        ("seed", {54, 55}),
        ("push-platform", {57, 58}),
        ("foundation", {50, 51, 54, 55, 56}),
    ],
)
def test_operators_of_servers_run_all_there_are_of_the_kind(kind: str, operated: set[int]) -> None:
    assert choose(kind, clock_offset_us=3) == Position(operated=frozenset(operated), clock_offset_us=3)
    with pytest.raises(InvalidInput, match="servers of this world: none"):
        choose(kind, stage=scene({}))


def test_foundation_is_what_there_is_of_it() -> None:
    assert choose("foundation", stage=scene({"push": (9,), "apple": (8,)})).operated == {9}


def test_thieves_take_at_a_time() -> None:
    end = N_NODES + 2
    assert choose("phrase-thief", client=2, at_us=7).taken == {Taking(end, 7, stays=False, fetches=True)}
    assert choose("device-thief", client=2, at_us=7).taken == {Taking(end, 7, stays=True, fetches=True)}
    copy = choose("device-thief", client=2, at_us=7, stays=False)
    assert copy.taken == {Taking(end, 7, stays=False, copies=True, fetches=True)}
    silent = choose("phrase-thief", client=2, at_us=7, asks_swarm=False)
    assert silent.taken == {Taking(end, 7, stays=False)}
    assert copy.watched == frozenset()


def test_stranger_knows_ids_and_stands_nowhere() -> None:
    position = choose("stranger", clients=(1, 3))
    assert position == Position(known=frozenset({N_NODES + 1, N_NODES + 3}))
    assert position.watched == frozenset()


def test_an_active_adversary_operates_nodes_holds_links_and_knows_people() -> None:
    assert choose("active", fraction=0.5) == choose("snodes", fraction=0.5)
    position = choose("active", by="host", fraction=0.25, links=0.3, knows=(0, 4), clock_offset_us=9)
    assert position.operated == choose("snodes", by="host", fraction=0.25).operated
    assert len(position.tapped) == 3
    assert position.tapped <= choose("active", links=0.6).tapped <= set(scene().client_endpoints)
    assert choose("active", links=0.6, draw=1).tapped != choose("active", links=0.6).tapped
    assert position.known == {N_NODES, N_NODES + 4}
    assert position.clock_offset_us == 9
    with pytest.raises(InvalidInput, match="client numbers from 0 to 9") as wrong:
        choose("active", knows=(3, 10))
    assert wrong.value.place == "vantage knows"


@pytest.mark.parametrize("hops", [0, 2, 4])
@pytest.mark.parametrize("kind", ["guard", "middle", "last-hop", "swarm-member"])
def test_roles_are_refused_where_hop_numbers_do_not_tell_them(kind: str, hops: int) -> None:
    with pytest.raises(InvalidInput, match="roles only where all paths have 3 relays"):
        choose(kind, stage=replace(scene(), path_hops=hops))
    assert choose("snodes", stage=replace(scene(), path_hops=hops)).operated
