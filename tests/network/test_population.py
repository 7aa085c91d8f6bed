"""The path-only engine: the client's own paths, and closed forms over months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MIN
from sessionsim.metrics.closed_forms.coverage import all_bad, any_bad
from sessionsim.metrics.closed_forms.paths import after_guards
from sessionsim.network.path_choices import guards_of, joined, rest_of, with_files
from sessionsim.network.population import (
    LIVES,
    NEVER,
    Candidates,
    Network,
    PathLife,
    first_compromise,
    paths_of,
)
from sessionsim.protocol.client.path_keeper import PathKeeper
from sessionsim.protocol.client.paths import build_paths, number_at
from sessionsim.protocol.client.pool import Pool, listing_of
from sessionsim.protocol.client.rules import PLATFORMS


def node_list(n: int, per_net: int) -> NodeList:
    return NodeList(
        ed25519=tuple(k.to_bytes(32, "big") for k in range(n)),
        x25519=tuple(k.to_bytes(32, "little") for k in range(n)),
        swarm=tuple(k % 12 for k in range(n)),
        ip=tuple(0xF0000000 + (k // per_net) * 256 + k % per_net for k in range(n)),
        port=(22021,) * n,
    )


def network(n: int = 400, bad: int = 40, swarms: int = 80, per_net: int = 1) -> tuple[Network, np.ndarray]:
    rng = np.random.default_rng(5)
    operated = np.zeros(n, dtype=bool)
    operated[rng.permutation(n)[:bad]] = True
    return Network(np.arange(n) // per_net, rng.permutation(n) % swarms), operated


def within(share: float, trials: int, expected: float) -> bool:
    low, high = stats.binom(trials, expected).interval(1 - 1e-6)
    return bool(low <= share * trials <= high)


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
@pytest.mark.parametrize(("paths", "hops"), [(1, 3), (2, 3), (3, 3), (2, 1), (2, 5)])
def test_with_the_clients_candidates_it_builds_the_clients_paths(
    platform: str, paths: int, hops: int
) -> None:
    """Few nodes in few /24s, so that every rule refuses candidates all the time."""
    nodes, rules = node_list(48, 3), replace(PLATFORMS[platform], paths=paths, path_hops=hops)
    entropies = [Seeds(7).entropy("client", k) for k in range(300)]

    def stream(purpose: bytes) -> Candidates:
        def candidate(k: int, positions: np.ndarray) -> np.ndarray:
            address = b"path" + purpose + k.to_bytes(4, "little")
            return np.array([number_at(entropies[p], address, 48) for p in positions.tolist()])

        return candidate

    found = paths_of(np.array([nodes.net24(k) for k in range(48)]), rules, 300, stream(b"g"), stream(b"m"))
    assert found.tolist() == [[list(path) for path in build_paths(nodes, rules, e)] for e in entropies]


@pytest.mark.parametrize("files", [0, 1, 2])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_with_paths_for_files_too(platform: str, files: int) -> None:
    """The first paths of a client that ran before, and those that the engine puts beside each other."""
    nodes, rules = node_list(60, 3), replace(PLATFORMS[platform], file_paths=files)
    entropies, net24 = [Seeds(7).entropy("client", k) for k in range(200)], np.arange(60) // 3

    def stream(purpose: bytes) -> Candidates:
        def candidate(k: int, positions: np.ndarray) -> np.ndarray:
            address = b"path" + purpose + k.to_bytes(4, "little")
            return np.array([number_at(entropies[p], address, 60) for p in positions.tolist()])

        return candidate

    guards = guards_of(net24, rules, 200, stream(b"g"))
    rest = rest_of(net24, rules, guards, rules.paths, stream(b"m"))
    found = joined(*with_files(net24, rules, guards, rest, stream(b"gf"), stream(b"mf")))
    assert found.shape == (200, 2 + files, 3)
    for entropy, paths in zip(entropies, found.tolist(), strict=True):
        keeper = PathKeeper(nodes, Pool(listing_of(nodes)), rules, entropy)
        assert [list(path.nodes) for path in keeper.all] == paths
        assert len({node for path in paths for node in path}) == 3 * (2 + files)


def test_a_bad_guard_of_a_path_for_files_counts() -> None:
    net, bad = network()
    rules = PLATFORMS["ios"]
    four, two = (
        first_compromise(net, bad, one, LIVES["desktop"], 4000, 1, Seeds(2))
        for one in (rules, replace(rules, file_paths=0))
    )
    assert within(four.by("guard", 1), 4000, any_bad(400, 40, 4))
    assert within(two.by("guard", 1), 4000, any_bad(400, 40, 2))
    assert set(four.guards.tolist()) == {4}
    # The paths for messages are the same ones, so whoever is met there is met in both.
    assert (four.guard[two.guard == 0] == 0).all()
    both = 1 - (1 - all_bad(400, 40, 2)) ** 4
    assert within(float((four.guard_and_last == 0).mean()), 4000, both)


@pytest.mark.parametrize("rule", ["none", "guards", "each-kind", "all"])
def test_every_subnet_rule_is_kept(rule: str) -> None:
    rules = replace(PLATFORMS["desktop"], path_subnet_rule=rule)
    rng = np.random.default_rng(1)
    net24 = np.arange(60) // 5
    paths = paths_of(
        net24,
        rules,
        2000,
        lambda k, p: rng.integers(60, size=len(p)),
        lambda k, p: rng.integers(60, size=len(p)),
    )
    nodes = paths.reshape(2000, -1)
    assert all(len(set(row)) == 6 for row in nodes.tolist())
    guards, rest = net24[paths[:, :, 0]], net24[paths[:, :, 1:]].reshape(2000, -1)
    differ = {
        "guards": (guards[:, 0] != guards[:, 1]).all(),
        "rest": all(len(set(row)) == 4 for row in rest.tolist()),
        "all": all(len(set(row)) == 6 for row in net24[nodes].tolist()),
    }
    assert differ == {
        "guards": rule != "none",
        "rest": rule in ("each-kind", "all"),
        "all": rule == "all",
    }


def test_too_small_a_network_is_refused() -> None:
    small = Network(np.zeros(40, dtype=np.int64), np.zeros(40, dtype=np.int64))
    with pytest.raises(InvalidInput, match="/24s"):
        first_compromise(small, np.zeros(40, bool), PLATFORMS["ios"], LIVES["ios"], 5, 1, Seeds(1))
    with pytest.raises(InvalidInput, match="0 accounts"):
        first_compromise(*network(), PLATFORMS["ios"], LIVES["ios"], 0, 1, Seeds(1))


def test_guards_without_age_are_lost_at_once_or_never() -> None:
    net, bad = network()
    times = first_compromise(net, bad, PLATFORMS["desktop"], LIVES["desktop"], 4000, 365, Seeds(1))
    assert set(times.guard.tolist()) == {0, NEVER}
    assert within(times.by("guard", 365), 4000, any_bad(400, 40, 2))
    assert set((times.guard_and_last[times.guard_and_last >= 0] % US_PER_DAY).tolist()) == {0}
    assert times.by("guard_and_last", 0) < times.by("guard_and_last", 365) < times.by("guard", 365) + 1e-9


def test_guards_that_age_are_lost_step_by_step() -> None:
    """Two guards of paths for messages and two of paths for files."""
    net, bad = network()
    times = first_compromise(net, bad, PLATFORMS["ios"], LIVES["ios"], 4000, 100, Seeds(2))
    for days in (5, 25, 95):
        expected = 1 - (1 - any_bad(400, 40, 4)) ** (days // 10 + 1)
        assert within(times.by("guard", days), 4000, expected), days


def test_both_ends_come_out_at_the_closed_form_of_one_path() -> None:
    """One path, guards of a day, six rebuilds a day: metrics 2a, the last hop drawn without the guard."""
    net, bad = network(n=200, bad=20)
    rules = replace(PLATFORMS["android"], paths=1)
    life = PathLife(rebuild_us=US_PER_DAY // 6, guard_age_us=US_PER_DAY)
    times = first_compromise(net, bad, rules, life, 6000, 12, Seeds(3))
    last = all_bad(200, 20, 2) / (20 / 200)
    for days in (0.9, 2.9, 11.9):
        expected = 1 - (1 - 0.1 * (1 - (1 - last) ** 6)) ** int(days + 1)
        assert within(times.by("guard_and_last", days), 6000, expected), days
    assert after_guards(0.1, 6, 12) == pytest.approx(1 - (1 - 0.1 * (1 - (1 - last) ** 6)) ** 12, abs=0.02)


def test_address_and_account_need_a_bad_swarm_too() -> None:
    net, bad = network()
    times = first_compromise(net, bad, PLATFORMS["ios"], LIVES["ios"], 5000, 365, Seeds(4))
    shares = np.bincount(net.swarm[bad], minlength=80) > 0
    # Within a year every account has had a bad guard, so what is left is the swarm.
    assert within(times.by("guard_and_replica", 365), 5000, float(shares.mean()))
    assert times.by("guard", 365) > 0.99
    both = times.guard_and_replica >= 0
    assert (times.guard_and_replica[both] == times.guard[both]).all()


def test_no_event_without_a_coalition_and_all_at_once_with_everybody() -> None:
    net, _ = network()
    none = first_compromise(net, np.zeros(400, bool), PLATFORMS["ios"], LIVES["ios"], 50, 30, Seeds(1))
    every = first_compromise(net, np.ones(400, bool), PLATFORMS["ios"], LIVES["ios"], 50, 30, Seeds(1))
    for event in ("guard", "guard_and_replica", "guard_and_last"):
        assert (getattr(none, event) == NEVER).all()
        assert (getattr(every, event) == 0).all()
        days, met = none.censored(event)
        assert (days == 30).all()
        assert not met.any()


def test_luck_is_addressed() -> None:
    net, bad = network()
    few, many = (
        first_compromise(net, bad, PLATFORMS["ios"], LIVES["ios"], n, days, Seeds(6))
        for n, days in ((200, 30), (900, 60))
    )
    for event in ("guard", "guard_and_replica", "guard_and_last"):
        first, second = getattr(few, event), getattr(many, event)[:200]
        early = second < 30 * US_PER_DAY
        assert (np.where(early, second, NEVER) == first).all()


def test_lost_guards_shorten_the_time() -> None:
    net, bad = network()
    life = replace(LIVES["desktop"], guard_loss_per_day=0.1)
    times = first_compromise(net, bad, PLATFORMS["desktop"], life, 4000, 60, Seeds(8))
    # Both guards are chosen anew at each loss, 0.2 a day: Poisson many epochs after the first.
    per = any_bad(400, 40, 2)
    assert within(times.by("guard", 50), 4000, 1 - (1 - per) * np.exp(-0.2 * 50 * per))


def test_path_rotation_alone_matters_only_behind_a_bad_guard() -> None:
    net, bad = network(bad=20)
    slow = replace(LIVES["android"], rebuild_us=US_PER_DAY)
    fast = replace(LIVES["android"], rebuild_us=10 * US_PER_MIN)
    a, b = (
        first_compromise(net, bad, PLATFORMS["android"], life, 3000, 10, Seeds(9)) for life in (slow, fast)
    )
    assert (a.guard == b.guard).all()
    assert a.by("guard_and_last", 10) < 0.6 * b.by("guard_and_last", 10)
    assert b.by("guard_and_last", 10) == pytest.approx(b.by("guard", 10), abs=0.01)
