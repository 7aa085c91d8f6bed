"""Checks of path and swarm compromise: V10 to V14, V17."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._predecessor import noted_predecessors, predecessor_scores
from sessionsim.adversary.attacks._selective_denial import selective_denial
from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MIN
from sessionsim.metrics._exposure import Exposure
from sessionsim.metrics.closed_forms import coverage, paths
from sessionsim.network.population import Network, PathLife, first_compromise, paths_of
from sessionsim.protocol.client.rules import PLATFORMS, ClientRules
from sessionsim.selfcheck.validate._check import check
from sessionsim.selfcheck.validate._finding import Finding, by_count, by_mean, number_of, published
from sessionsim.selfcheck.validate._parameter import cases, prob, seed, whole

Ints = npt.NDArray[np.int64]

# One path, no subnet rule: hops are uniform without replacement, as the closed forms take them.
_ONE_PATH: Final[ClientRules] = replace(PLATFORMS["android"], paths=1)
_LARGE: Final = 100_000  # nodes where a closed form takes them as without end
_SWARM_PUBLISHED = {  # Source: metrics 2a, N = 1600
    5: (0.0491, 0.2265, 0.4099, 0.6728),
    7: (0.0681, 0.3021, 0.5224, 0.7910),
    10: (0.0959, 0.4022, 0.6525, 0.8934),
}
_SHARES = (0.01, 0.05, 0.10, 0.20)
_DENIAL = {0.05: 0.00291, 0.1: 0.01353, 0.2: 0.07246, 1 / 3: 0.2727, 0.5: 0.6667}  # Source: metrics 2a
_GUARDS = {(0.05, 100, 1): 0.0497, (0.05, 100, 12): 0.4576, (0.1, 1000, 1): 0.1, (0.1, 1000, 12): 0.7176}
_REBUILDS = {(0.05, 100): 0.2214, (0.05, 1000): 0.9182, (0.1, 100): 0.6340}


def _drawn(rng: np.random.Generator, nodes: int, accounts: int) -> Ints:
    """Draw one path of three for each account, by the client's rule."""

    def candidate(_: int, positions: Ints) -> Ints:
        return rng.integers(nodes, size=len(positions))

    return paths_of(np.arange(nodes), _ONE_PATH, accounts, candidate, candidate)[:, 0]


@check(
    "first-last", "V10", source="metrics 2a",
    N=whole(1600, "nodes", 6, 1_000_000),
    c=whole(160, "nodes of the coalition, at most N", 0, 1_000_000),
    trials=whole(1_000_000, "paths drawn", 1000, 10_000_000, reduced=100_000),
    seed=seed(),
)  # fmt: skip
def first_last(N: int, c: int, trials: int, seed: int) -> Iterator[Finding]:
    """First and last relay, all relays, any relay of the client's paths in a coalition's hands."""
    if c > N:
        raise InvalidInput("validate first-last --c", c, f"at most N={N}")
    expected = coverage.all_bad(N, c, 2)
    if (N, c) == (1600, 160):
        yield published("first and last", 0.009944, expected, 5e-7)
    rng = Seeds(seed).stream("validate", "first-last")
    bad = np.zeros(N, dtype=bool)
    bad[rng.permutation(N)[:c]] = True
    owned = bad[_drawn(rng, N, trials)]
    yield by_count("first and last", expected, int((owned[:, 0] & owned[:, 2]).sum()), trials)
    yield by_count("all three", coverage.all_bad(N, c, 3), int(owned.all(axis=1).sum()), trials)
    yield by_count("any of three", coverage.any_bad(N, c, 3), int(owned.any(axis=1).sum()), trials)


@check(
    "swarm-coverage", "V11", source="metrics 2a",
    N=whole(1600, "nodes", 20, 100_000),
    f=prob((0.05, 0.10), "share of the coalition, rounded to whole nodes"),
    s=whole(7, "members of a swarm", 1, 12),
    guards=whole(2, "guards of an account", 1, 8),
    trials=whole(60_000, "accounts, each with a fresh coalition", 500, 1_000_000, reduced=4000),
    seed=seed(),
)  # fmt: skip
def swarm_coverage(
    N: int, f: tuple[float, ...], s: int, guards: int, trials: int, seed: int
) -> Iterator[Finding]:
    """Shares of accounts with a bad replica, a bad guard, and both, by the product's own count."""
    rng = Seeds(seed).stream("validate", "swarm-coverage")
    for share in f:
        c = round(share * N)
        label = f"f={share:g} s={s}"
        if N == 1600 and s in _SWARM_PUBLISHED and share in _SHARES:
            value = _SWARM_PUBLISHED[s][_SHARES.index(share)]
            yield published(f"{label} bad replica", value, coverage.any_bad(N, c, s), 1e-4)
        hits, expected = np.zeros(3), np.zeros(3)
        for _ in range(trials):
            bad = frozenset(rng.choice(N, c, replace=False, shuffle=False).tolist())
            drawn = rng.choice(N, s + guards, replace=False).tolist()
            swarm = frozenset(drawn[:s])
            # Guards are chosen without regard to the swarm, so now and then one is a member of it.
            first = frozenset(rng.choice(N, guards, replace=False).tolist())
            exposure = Exposure(swarm, first)
            hits += exposure.covered(bad)
            expected += coverage.coverage_of(N, c, exposure.shape)
        for name, number, mean in zip(
            ("bad replica", "bad guard", "both"), hits, expected / trials, strict=True
        ):
            yield by_count(f"{label} {name}", float(mean), float(number), trials)


@check(
    "selective-denial", "V12", source="Borisov et al., CCS 2007; metrics 2a",
    f=prob((0.2,), "share of the coalition", open_=True),
    honest=whole(3, "positions that must be honest for a path to be left alone", 2, 20),
    trials=whole(2_000_000, "paths built", 1000, 50_000_000, reduced=300_000),
    seed=seed(),
)  # fmt: skip
def selective_denial_check(f: tuple[float, ...], honest: int, trials: int, seed: int) -> Iterator[Finding]:
    """Share of working paths that are compromised when a coalition drops the others."""
    for share in f:
        expected = paths.compromised_if_working(share, honest)
        if honest == 3 and share in _DENIAL:
            yield published(f"f={share:g} compromised if working", _DENIAL[share], expected, 5e-5)
        rng = Seeds(seed).stream("validate", "selective-denial", str(share))
        fate = selective_denial(rng.random((trials, honest)) < share)
        works = int(fate.works.sum())
        survive = share**2 + (1 - share) ** honest
        yield by_count(f"f={share:g} paths that work", survive, works, trials)
        if works:
            yield by_count(
                f"f={share:g} compromised if working", expected, int(fate.compromised.sum()), works
            )


@check(
    "guards", "V13", source="metrics 2a, by the path-only engine",
    f=prob((0.05,), "share of the coalition, rounded to 1/100000", open_=True),
    n=whole((100,), "paths in a guard's period", 1, 100_000),
    G=whole((12,), "periods", 1, 10_000),
    accounts=whole(50_000, "accounts", 100, 1_000_000, reduced=4000),
    seed=seed(),
)  # fmt: skip
def guards(
    f: tuple[float, ...], n: tuple[int, ...], G: tuple[int, ...], accounts: int, seed: int
) -> Iterator[Finding]:
    """Share of accounts with both ends of a path bad after some periods of a persistent guard."""
    for case in cases(f=f, n=n, G=G):
        share, many, periods = case["f"], case["n"], case["G"]
        c = max(1, round(share * _LARGE))
        label, expected = f"f={share:g} n={many} G={periods}", paths.after_guards(share, many, periods)
        if (share, many, periods) in _GUARDS:
            yield published(f"{label} both ends", _GUARDS[share, many, periods], expected, 1e-4)
        seeds = Seeds(seed)
        bad = np.zeros(_LARGE, dtype=bool)
        bad[seeds.stream("validate", "guards").permutation(_LARGE)[:c]] = True
        every = np.arange(_LARGE)
        rebuild = US_PER_MIN
        life = PathLife(rebuild_us=rebuild, guard_age_us=many * rebuild)
        times = first_compromise(
            Network(every, every % 1000),
            bad,
            _ONE_PATH,
            life,
            accounts,
            many * periods * rebuild / US_PER_DAY,
            seeds,
        )
        # The engine draws without replacement from a network with an end.
        real, last = c / _LARGE, (c - 1) / (_LARGE - 1)
        exact = 1 - (1 - real * (1 - (1 - last) ** many)) ** periods
        met = times.guard_and_last >= 0
        yield by_count(f"{label} both ends", expected, int(met.sum()), accounts, abs(exact - expected))
        guard = 1 - (1 - share) ** periods
        found = int((times.guard >= 0).sum())
        # Accounts whose both ends fell are not followed further, but they have met a bad guard by then.
        yield by_count(f"{label} bad guard", guard, found, accounts, abs(1 - (1 - real) ** periods - guard))


@check(
    "rebuilds", "V14", source="metrics 2a; Wright et al., TISSEC 2004",
    f=prob((0.1,), "share of the coalition, rounded to 1/100000", open_=True),
    r=whole((100,), "fresh paths of an account", 1, 100_000),
    accounts=whole(50_000, "accounts", 100, 1_000_000, reduced=3000),
    seed=seed(),
)  # fmt: skip
def rebuilds(f: tuple[float, ...], r: tuple[int, ...], accounts: int, seed: int) -> Iterator[Finding]:
    """Share of accounts that the predecessor attack notes after so many rebuilds without a guard."""
    for case in cases(f=f, r=r):
        share, many = case["f"], case["r"]
        c = max(1, round(share * _LARGE))
        label, expected = f"f={share:g} r={many}", paths.after_rebuilds(share, many)
        if (share, many) in _REBUILDS:
            yield published(f"{label} noted", _REBUILDS[share, many], expected, 1e-4)
        rng = Seeds(seed).stream("validate", "rebuilds", str(share), many)
        bad = np.zeros(_LARGE, dtype=bool)
        bad[rng.permutation(_LARGE)[:c]] = True
        people = max(100, min(accounts, 6_000_000 // many))
        counts = np.zeros(people, dtype=np.int64)
        for start in range(0, people, max(1, 1_000_000 // many)):
            part = np.arange(start, min(people, start + max(1, 1_000_000 // many)))
            builder = np.repeat(part, many)
            noted = noted_predecessors(_drawn(rng, _LARGE, len(builder)), _LARGE + builder, bad)
            counts += predecessor_scores(noted - _LARGE, people)[:people]
        both = c / _LARGE * (c - 1) / (_LARGE - 1)
        slack = abs(paths.after_rebuilds(both**0.5, many) - expected)
        yield by_count(f"{label} noted", expected, int((counts > 0).sum()), people, slack)
        yield by_mean(f"{label} times noted", many * share**2, counts, slack=abs(both - share**2) * many)


@check(
    "swarm-capture", "V17", source="metrics 2a",
    S=whole(228, "swarms", 2, 100_000),
    m=whole((158, 228), "registrations", 1, 1_000_000),
    runs=whole(100_000, "campaigns", 1000, 10_000_000, reduced=20_000),
    seed=seed(),
)  # fmt: skip
def swarm_capture(S: int, m: tuple[int, ...], runs: int, seed: int) -> Iterator[Finding]:
    """Chance that registrations placed at random reach a chosen swarm, and how many make it even."""
    half = paths.registrations_for(S, 0.5)
    if S == 228:
        yield number_of("registrations for 50 %, published", 158, half)
    rng = Seeds(seed).stream("validate", "swarm-capture")
    for many in m:
        expected = paths.swarm_reached(S, many)
        if (S, many) in ((228, 158), (228, 228)):
            yield published(f"m={many} reached", 0.5 if many == 158 else 0.633, expected, 1.5e-3)
        campaigns = max(1000, min(runs, 100_000_000 // many))
        reached = 0
        for start in range(0, campaigns, max(1, 2_000_000 // many)):
            size = min(campaigns - start, max(1, 2_000_000 // many))
            reached += int((rng.integers(S, size=(size, many)) == 0).any(axis=1).sum())
        yield by_count(f"m={many} reached", expected, reached, campaigns)
    below, at = paths.swarm_reached(S, max(0, half - 1)), paths.swarm_reached(S, half)
    yield number_of(
        "50 % lies between one registration fewer and that many", 1, int(below < 0.5 <= at + 1e-12)
    )
