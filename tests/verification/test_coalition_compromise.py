"""Coalitions on the real node list against the hypergeometric: uniform, by host, by /16 and by country.

The list of 28 April, in its own swarms of nearly all 5 nodes, and regrouped into swarms of 7 as
threat-model section 4 assumes. For each coalition the shares of accounts with a bad guard, a bad replica
and both must lie where as many nodes chosen uniformly put them: within the interval of a thousand uniform
coalitions over accounts drawn anew, whose mean is the closed form. Where whole hosts, networks or a country
are owned this is a statement about the network: swarms mix them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from sessionsim.adversary.vantages._nodes import NodeChoice, chosen_nodes
from sessionsim.core.scene import Scene
from sessionsim.core.seeds import Seeds
from sessionsim.experiment.months import network_of
from sessionsim.metrics.closed_forms.coverage import Coverage, Shape, mean_coverage
from sessionsim.network.population import LIVES, Network, first_compromise, guards_of
from sessionsim.network.snapshots import build_nodes, load_snapshot
from sessionsim.protocol.client.rules import PLATFORMS

DATE = "2026-04-28"
ACCOUNTS, UNIFORM = 4_000, 1_000
# Eighteen shares, each allowed to lie outside by chance about once in a thousand.
TAIL = 0.0005
CHOICES = {
    "random 5 %": NodeChoice(fraction=0.05),
    "random 10 %": NodeChoice(fraction=0.10),
    "random 20 %": NodeChoice(fraction=0.20),
    "hosts": NodeChoice(by="host", fraction=0.10),
    "networks": NodeChoice(by="net16", fraction=0.10),
    "country": NodeChoice(by="country", country="FR"),
}
# Threat-model section 4, swarms of 7: at least one of the swarm; with two permanent guards, both.
PUBLISHED = {"random 5 %": (0.30, 0.029), "random 10 %": (0.52, 0.099), "random 20 %": (0.79, 0.28)}
Flags = npt.NDArray[np.bool_]


@cache
def coalition(name: str) -> Flags:
    snapshot = load_snapshot(DATE)
    nodes, _, _ = build_nodes(snapshot, Seeds(1))
    scene = Scene(nodes, tuple(snapshot.country), (), (), (), (), {})
    bad = np.zeros(len(nodes), dtype=bool)
    bad[sorted(chosen_nodes(CHOICES[name], scene, Seeds(4)))] = True
    return bad


@dataclass(frozen=True)
class Standing:
    """Accounts with their guards, shape (accounts, 2), and swarms."""

    network: Network
    guards: npt.NDArray[np.int64]
    own: npt.NDArray[np.int64]

    def shapes(self) -> dict[Shape, float]:
        size = np.bincount(self.network.swarm)[self.own]
        inside = (self.network.swarm[self.guards] == self.own[:, None]).sum(axis=1)
        pairs = zip(size.tolist(), (size + 2 - inside).tolist(), strict=True)
        found: dict[Shape, float] = {}
        for swarm, union in pairs:
            found[Shape(swarm, 2, union)] = found.get(Shape(swarm, 2, union), 0) + 1
        return found


@cache
def standing(swarm_size: int) -> Standing:
    network, rng = network_of(load_snapshot(DATE), swarm_size), np.random.default_rng(7)

    def candidates(k: int, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return rng.integers(len(network), size=len(positions))

    guards = guards_of(network.net24, PLATFORMS["desktop"], 5 * ACCOUNTS, candidates)
    own = rng.integers(int(network.swarm.max()) + 1, size=5 * ACCOUNTS)
    return Standing(network, guards, own)


@cache
def uniform(swarm_size: int, bad_nodes: int) -> npt.NDArray[np.float64]:
    """Shares (replica, guard, both) under uniform coalitions, shape (UNIFORM, 3)."""
    known, rng = standing(swarm_size), np.random.default_rng(bad_nodes)
    n, found = len(known.network), np.zeros((UNIFORM, 3))
    for draw in range(UNIFORM):
        bad = np.zeros(n, dtype=bool)
        bad[rng.choice(n, bad_nodes, replace=False)] = True
        swarms = np.bincount(known.network.swarm[bad], minlength=int(known.network.swarm.max()) + 1) > 0
        who = rng.integers(len(known.own), size=ACCOUNTS)
        replica, guard = swarms[known.own[who]], bad[known.guards[who]].any(axis=1)
        found[draw] = replica.mean(), guard.mean(), (replica & guard).mean()
    return found


def measured(name: str, swarm_size: int) -> Coverage:
    times = first_compromise(
        network_of(load_snapshot(DATE), swarm_size), coalition(name), PLATFORMS["desktop"], LIVES["desktop"],
        ACCOUNTS, 0.01, Seeds(11),
    )  # fmt: skip
    guard = times.guard == 0
    return Coverage(times.replica.mean(), guard.mean(), (times.replica & guard).mean())


def test_the_list_has_swarms_of_five_and_coalitions_of_the_wanted_size() -> None:
    sizes = np.bincount(network_of(load_snapshot(DATE), 0).swarm)
    assert (sizes == 5).mean() > 0.9
    assert set(np.bincount(network_of(load_snapshot(DATE), 7).swarm).tolist()) <= {7, *range(8, 14)}
    counts = {name: int(coalition(name).sum()) for name in CHOICES}
    assert counts == {
        "random 5 %": 63, "random 10 %": 126, "random 20 %": 252, "hosts": 126, "networks": 126,
        "country": 69,
    }  # fmt: skip
    overlap = (coalition("hosts") & coalition("networks")).sum()
    assert 0 < overlap < 126


@pytest.mark.parametrize("swarm_size", [0, 7], ids=["as listed", "sevens"])
@pytest.mark.parametrize("name", CHOICES)
def test_shares_lie_within_the_interval_of_the_hypergeometric(name: str, swarm_size: int) -> None:
    reference = uniform(swarm_size, int(coalition(name).sum()))
    found = measured(name, swarm_size)
    for column, event in enumerate(Coverage._fields):
        low, high = np.quantile(reference[:, column], [TAIL, 1 - TAIL])
        assert low <= getattr(found, event) <= high, f"{event}: {getattr(found, event)} in {low}..{high}"


@pytest.mark.parametrize("swarm_size", [0, 7], ids=["as listed", "sevens"])
@pytest.mark.parametrize("bad_nodes", [63, 126])
def test_the_interval_lies_around_the_closed_form(bad_nodes: int, swarm_size: int) -> None:
    reference, known = uniform(swarm_size, bad_nodes), standing(swarm_size)
    closed = mean_coverage(len(known.network), bad_nodes, known.shapes())
    error = reference.std(axis=0) / np.sqrt(UNIFORM)
    assert np.all(np.abs(reference.mean(axis=0) - np.array(closed)) < 5 * error)


@pytest.mark.parametrize("name", PUBLISHED)
def test_sevens_come_out_as_the_threat_model_has_them(name: str) -> None:
    replica, both = PUBLISHED[name]
    spread = uniform(7, int(coalition(name).sum())).std(axis=0)
    found = measured(name, 7)
    assert abs(found.replica - replica) < 0.005 + 3.5 * spread[0]
    assert abs(found.both - both) < 0.001 + 3.5 * spread[2]


def test_fives_are_covered_less_often_than_sevens() -> None:
    assert measured("random 10 %", 0).replica < measured("random 10 %", 7).replica - 0.05


def test_a_coalition_of_whole_swarms_lies_outside() -> None:
    network = network_of(load_snapshot(DATE), 0)
    bad = np.isin(network.swarm, np.arange(25))
    times = first_compromise(network, bad, PLATFORMS["desktop"], LIVES["desktop"], ACCOUNTS, 0.01, Seeds(11))
    low = np.quantile(uniform(0, 126)[:, 0], TAIL)
    assert times.replica.mean() < low / 2
