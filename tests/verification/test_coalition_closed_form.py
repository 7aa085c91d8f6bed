"""Path draws without traffic against the closed forms of metrics 2a, by the binomial interval.

Each draw takes a fresh coalition, a fresh account in a random swarm and fresh paths, so draws are
independent and the count of hits is binomial. Swarm sizes are those the network keeps: mostly 5, some more.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from scipy import stats

from sessionsim.core.seeds import Seeds
from sessionsim.metrics import Shape
from sessionsim.metrics._exposure import Exposure
from sessionsim.metrics.catalog.coalition_coverage import bad_nodes
from sessionsim.metrics.closed_forms.coverage import all_bad, any_bad, coverage_of
from sessionsim.network.snapshots import build_nodes, load_snapshot
from sessionsim.protocol.client.paths import build_paths
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

DRAWS = 100_000 if os.environ.get("SESSIONSIM_FULL") else 10_000
NODES = 1_262  # as on 2026-04-28, in 252 swarms
# A test of 15 shares, each allowed to miss by chance once in 100,000.
LEVEL = 1 - 1e-5


def swarms() -> list[list[int]]:
    order = np.random.default_rng(1).permutation(NODES)
    return [group.tolist() for group in np.array_split(order, 252)]


@pytest.mark.parametrize("percent", [1, 5, 10, 20, 33])
def test_path_draws_come_out_at_the_closed_forms(percent: int) -> None:
    rng = np.random.default_rng(percent)
    groups, bad = swarms(), bad_nodes(NODES, percent)
    hits = {"replica": 0, "guard": 0, "both": 0, "first and last": 0, "any hop": 0}
    expected = dict.fromkeys(hits, 0.0)
    for _ in range(DRAWS):
        coalition = frozenset(rng.choice(NODES, bad, replace=False).tolist())
        hops = rng.choice(NODES, 6, replace=False).tolist()  # two paths of three; first hops are the guards
        exposure = Exposure(frozenset(groups[int(rng.integers(252))]), frozenset({hops[0], hops[3]}))
        covered = exposure.covered(coalition)
        for name, hit, probability in zip(
            ("replica", "guard", "both"), covered, coverage_of(NODES, bad, exposure.shape), strict=True
        ):
            hits[name] += int(hit)
            expected[name] += probability
        hits["first and last"] += hops[0] in coalition and hops[2] in coalition
        hits["any hop"] += bool(coalition & set(hops[:3]))
    expected["first and last"] = DRAWS * all_bad(NODES, bad, 2)
    expected["any hop"] = DRAWS * any_bad(NODES, bad, 3)
    for name, number in hits.items():
        low, high = stats.binom(DRAWS, expected[name] / DRAWS).interval(LEVEL)
        assert low <= number <= high, f"{name} at {percent} %: {number}, closed form {expected[name]:.1f}"


def test_a_wrong_closed_form_would_be_noticed() -> None:
    # The share of accounts taken as 1 - (1-f)^4 instead of five replicas lies far outside the interval.
    bad = bad_nodes(NODES, 10)
    low, _ = stats.binom(10_000, coverage_of(NODES, bad, Shape(5, 2, 7)).replica).interval(LEVEL)
    assert 10_000 * any_bad(NODES, bad, 4) < low


def test_paths_of_the_real_client_on_the_real_network_come_out_at_the_closed_form() -> None:
    """10⁴ accounts, the client's own path and swarm rules, a dated node list, a fresh coalition each."""
    seeds, percent = Seeds(20260428), 10
    nodes, _, _ = build_nodes(load_snapshot("2026-04-28"), seeds)
    ids, bad = list(nodes.members), bad_nodes(len(nodes), percent)
    rng = seeds.stream("coalitions")
    rules = [PLATFORMS[name] for name in sorted(PLATFORMS)]
    hits = {"replica": 0, "guard": 0, "both": 0, "first and last": 0}
    expected = dict.fromkeys(hits, 0.0)
    for account in range(10_000):
        entropy = seeds.entropy("account", account)
        paths = build_paths(nodes, rules[account % len(rules)], entropy)
        swarm = nearest_swarm(swarm_position(entropy.draw(b"id")[:32]), ids)
        assert swarm is not None
        exposure = Exposure(frozenset(nodes.members[swarm]), frozenset(path[0] for path in paths))
        coalition = frozenset(rng.choice(len(nodes), bad, replace=False).tolist())
        covered = exposure.covered(coalition)
        closed = coverage_of(len(nodes), bad, exposure.shape)
        for name, hit, probability in zip(("replica", "guard", "both"), covered, closed, strict=True):
            hits[name] += int(hit)
            expected[name] += probability
        hits["first and last"] += paths[0][0] in coalition and paths[0][2] in coalition
        expected["first and last"] += all_bad(len(nodes), bad, 2)
    for name, number in hits.items():
        low, high = stats.binom(10_000, expected[name] / 10_000).interval(LEVEL)
        assert low <= number <= high, f"{name}: {number}, closed form {expected[name]:.1f}"
