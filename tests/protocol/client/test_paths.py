"""Onion paths: distinct nodes, subnet rules, the same paths for the same client."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy, Seeds
from sessionsim.protocol.client.path_rules import HOPS
from sessionsim.protocol.client.paths import Path, build_paths, joined, number_at
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, PLATFORMS


def network(n_nodes: int, per_subnet: int = 1) -> NodeList:
    """Nodes of which `per_subnet` neighbours share a /24."""
    keys = tuple(i.to_bytes(32, "big") for i in range(n_nodes))
    ips = tuple((i // per_subnet) << 8 | 1 + i % per_subnet for i in range(n_nodes))
    return NodeList(keys, keys, (0,) * n_nodes, ips, (22021,) * n_nodes)


def entropy(number: int) -> Entropy:
    return Seeds(0).entropy("client", number)


def subnets(nodes: NodeList, members: list[int]) -> list[int]:
    return [nodes.net24(node) for node in members]


def guards_and_others(paths: tuple[Path, ...]) -> tuple[list[int], list[int]]:
    return [path[0] for path in paths], [node for path in paths for node in path[1:]]


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
@given(client=st.integers(0, 10_000))
@settings(deadline=None, max_examples=25, derandomize=True)
def test_no_node_is_in_two_places(platform: str, client: int) -> None:
    rules = PLATFORMS[platform]
    paths = build_paths(network(40, 3), rules, entropy(client))
    flat = [node for path in paths for node in path]
    assert len(paths) == rules.paths
    assert all(len(path) == HOPS for path in paths)
    assert len(set(flat)) == len(flat)
    assert set(flat) <= set(range(40))


@given(client=st.integers(0, 10_000))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_subnet_rules_keep_apart_what_they_name(client: int) -> None:
    nodes = network(24, 4)  # six /24s: just enough for two paths
    for rule in ("guards", "each-kind", "all"):
        paths = build_paths(nodes, replace(DESKTOP, path_subnet_rule=rule), entropy(client))
        guards, others = guards_and_others(paths)
        assert len(set(subnets(nodes, guards))) == 2
        if rule in ("each-kind", "all"):
            assert len(set(subnets(nodes, others))) == 4
        if rule == "all":
            assert len(set(subnets(nodes, guards + others))) == 6


def test_rules_do_not_keep_apart_what_they_do_not_name() -> None:
    nodes = network(24, 4)
    shared: Counter[str] = Counter()
    for client in range(60):
        for rule in ("none", "guards", "each-kind"):
            paths = build_paths(nodes, replace(DESKTOP, path_subnet_rule=rule), entropy(client))
            guards, others = guards_and_others(paths)
            shared[rule + " guards"] += len(set(subnets(nodes, guards))) < 2
            shared[rule + " others"] += len(set(subnets(nodes, others))) < 4
            shared[rule + " both"] += bool(set(subnets(nodes, guards)) & set(subnets(nodes, others)))
    assert shared["none guards"]
    assert shared["none others"]
    assert shared["none both"]
    assert shared["guards others"]
    assert shared["guards both"]
    assert not shared["guards guards"]
    assert shared["each-kind both"]
    assert not shared["each-kind others"]
    assert not shared["each-kind guards"]


def test_platforms_have_the_rules_of_their_clients() -> None:
    assert (DESKTOP.path_subnet_rule, ANDROID.path_subnet_rule, IOS.path_subnet_rule) == (
        "each-kind", "none", "all",
    )  # fmt: skip


def test_the_same_client_builds_the_same_paths_and_another_one_others() -> None:
    nodes = network(300)
    made = [build_paths(nodes, DESKTOP, entropy(client)) for client in range(50)]
    assert made == [build_paths(nodes, DESKTOP, entropy(client)) for client in range(50)]
    assert len(set(made)) == 50


def test_every_node_is_a_guard_equally_often() -> None:
    nodes = network(10)
    rules = replace(DESKTOP, paths=1)
    drawn = Counter(build_paths(nodes, rules, entropy(client))[0][0] for client in range(3000))
    expected = 300
    chi_square = sum((drawn[node] - expected) ** 2 / expected for node in range(10))
    assert chi_square < 27.9  # 0.1 % point for 9 degrees of freedom


def test_the_smallest_possible_network_is_enough() -> None:
    paths = build_paths(network(6), DESKTOP, entropy(1))
    assert sorted(node for path in paths for node in path) == list(range(6))
    assert len(build_paths(network(24), replace(IOS, paths=8), entropy(1))) == 8


@pytest.mark.parametrize("hops", [1, 2, 5, 15])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_paths_are_as_long_as_the_rules_say(platform: str, hops: int) -> None:
    rules = replace(PLATFORMS[platform], path_hops=hops)
    paths = build_paths(network(2 * hops), rules, entropy(3))
    assert [len(path) for path in paths] == [hops, hops]
    assert sorted(node for path in paths for node in path) == list(range(2 * hops))
    with pytest.raises(InvalidInput, match=f"at least {2 * hops} nodes"):
        build_paths(network(2 * hops - 1), rules, entropy(3))


def test_every_guard_gets_its_share_of_the_nodes_behind() -> None:
    assert joined([1, 2], [3, 4, 5, 6, 7, 8], 3) == ((1, 3, 4, 5), (2, 6, 7, 8))
    assert joined([1, 2], [], 0) == ((1,), (2,))


@pytest.mark.parametrize(
    ("nodes", "rule"),
    [
        (network(5), "none"),
        (network(0), "none"),
        (network(12, 12), "guards"),
        (network(12, 4), "each-kind"),
        (network(20, 4), "all"),
    ],
)
def test_a_network_too_small_is_refused(nodes: NodeList, rule: str) -> None:
    with pytest.raises(InvalidInput, match=r"for 2 paths.*at least 6 nodes"):
        build_paths(nodes, replace(DESKTOP, path_subnet_rule=rule), entropy(1))


def test_numbers_cover_their_range_and_repeat_for_an_address() -> None:
    drawn = [number_at(entropy(1), b"x%d" % k, 7) for k in range(200)]
    assert set(drawn) == set(range(7))
    assert drawn == [number_at(entropy(1), b"x%d" % k, 7) for k in range(200)]
