from __future__ import annotations

import dataclasses

import pytest

from sessionsim.adversary import VANTAGES, join
from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds

SEEDS = Seeds(7)
N_NODES = 40
VANTAGES.scan()


def scene() -> Scene:
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
    )


def choose(kind: str, seeds: Seeds = SEEDS, **settings: object) -> Position:
    entry = VANTAGES[kind]
    return entry.factory(entry.config(**settings)).choose(scene(), seeds)


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
    ],
)
def test_what_a_choice_needs_is_given_and_nothing_in_vain(
    kind: str, by: str, given: dict[str, object], key: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        VANTAGES[kind].config(by=by, **given)
    assert wrong.value.place == key
