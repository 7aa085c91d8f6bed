"""Where an observer stands on the accounts' ways: bad replicas, bad guards, both.

No bytes are looked at: an account is covered when a node the observer operates is a member of its swarm
(every member holds every message), is one of its guards, or both. It is a bound on what nodes in the path
can learn for certain, and the place of the closed form: for a coalition of c nodes chosen uniformly, the
number among the account's own swarm and guards is hypergeometric (metrics 2a). For a coalition chosen by
host, country or network the same number of nodes chosen uniformly is the baseline, not the expectation.

Beside the scenario's observers, random coalitions of stated fractions are drawn again and again over the
same accounts, without traffic; they must come out at the closed form and give the figure its points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sessionsim.core.readings import Reading
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.metrics._counts import Counts, FloatArray
from sessionsim.metrics._exposure import Exposure, exposures
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._intervals import Units, reading, share, units_of
from sessionsim.metrics._registry import METRICS
from sessionsim.metrics.closed_forms.coverage import Coverage, Shape, mean_coverage

EVENTS = Coverage._fields
TITLES = {"replica": "bad replica", "guard": "bad guard", "both": "both"}
# Assumption: the range in which the three curves bend; 0.33 is the usual bound of Byzantine shares.
PERCENTS = (1, 2, 5, 10, 15, 20, 25, 33, 40, 50)


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the coverage metric."""

    draws: int = setting(
        200,
        doc="Random coalitions drawn per seed and fraction for the check against the closed form",
        source="Assumption: keeps the standard error of a seed below one percent",
        low=2,
    )


@METRICS.register(config=Config, source="metrics 2a (hypergeometric closed form), threat-model A5")
class CoalitionCoverage:
    """Share of accounts with a bad replica, with a bad guard, with both."""

    def __init__(self, config: object) -> None:
        assert isinstance(config, Config)
        self._draws = config.draws

    def tally(self, replicate: Replicate) -> Counts:
        """Mark the covered accounts per observer, and draw random coalitions over the same accounts."""
        exposed, n_nodes = exposures(replicate), len(replicate.nodes)
        sums: dict[str, FloatArray] = {"accounts": np.ones(len(exposed))}
        sums["nodes"] = np.array([float(n_nodes)])
        for shape in {exposure.shape for exposure in exposed}:
            sums[f"shape {shape.swarm} {shape.guards} {shape.union}"] = np.array(
                [float(sum(exposure.shape == shape for exposure in exposed))]
            )
        for observer, position in replicate.positions.items():
            bad = frozenset(node for node in position.operated if node < n_nodes)
            if not bad:
                continue
            hits = [exposure.covered(bad) for exposure in exposed]
            for event in EVENTS:
                sums[f"{observer}/{event}"] = np.array([getattr(hit, event) for hit in hits])
            sums[f"{observer}/bad"] = np.array([float(len(bad))])
        stream = Seeds(replicate.seed).stream("metrics", "coalition-coverage")
        return Counts(sums, self._random(exposed, n_nodes, stream))

    def _random(
        self, exposed: Sequence[Exposure], n_nodes: int, stream: np.random.Generator
    ) -> dict[str, FloatArray]:
        """Count covered accounts, shape (draws,), where the first c nodes of a random order are operated."""
        samples = {f"{percent} %/{event}": np.zeros(self._draws) for percent in PERCENTS for event in EVENTS}
        swarms = [np.array(sorted(exposure.swarm), dtype=np.intp) for exposure in exposed]
        guards = [np.array(sorted(exposure.guards), dtype=np.intp) for exposure in exposed]
        for draw in range(self._draws):
            rank = stream.permutation(n_nodes)
            first_replica, first_guard = _first(rank, swarms), _first(rank, guards)
            for percent in PERCENTS:
                bad = bad_nodes(n_nodes, percent)
                replica, guard = first_replica < bad, first_guard < bad
                for event, hit in zip(EVENTS, (replica, guard, replica & guard), strict=True):
                    samples[f"{percent} %/{event}"][draw] = hit.sum()
        return samples

    def readings(self, counts: Sequence[Counts]) -> list[Reading]:
        """Give the three shares per observer, and per random fraction with the closed form beside it."""
        names = sorted({key.removesuffix("/bad") for c in counts for key in c.sums if key.endswith("/bad")})
        found: list[Reading] = []
        for name in names:
            having = [c for c in counts if f"{name}/bad" in c.sums]
            found += _three(
                having,
                name,
                [c.total(f"{name}/bad") for c in having],
                [
                    units_of([(c.sums[f"{name}/{event}"], c.sums["accounts"]) for c in having])
                    for event in EVENTS
                ],
            )
        for percent in PERCENTS:
            found += _three(
                counts,
                f"random coalition of {percent} %",
                [float(bad_nodes(int(c.total("nodes")), percent)) for c in counts],
                [_draw_units(counts, f"{percent} %/{event}") for event in EVENTS],
            )
        return found


def bad_nodes(n_nodes: int, percent: int) -> int:
    """How many nodes a coalition of so many percent operates, rounded to whole nodes."""
    return round(n_nodes * percent / 100)


def _draw_units(counts: Sequence[Counts], key: str) -> Units:
    """Units of a random coalition: each draw is independent of the others, accounts within it are not."""
    hits = np.concatenate([c.samples[key] for c in counts])
    trials = np.concatenate([np.full(len(c.samples[key]), c.total("accounts")) for c in counts])
    return Units(hits, trials, "draw", int(sum(c.total("accounts") for c in counts)))


def _three(
    counts: Sequence[Counts], label: str, bad: Sequence[float], units: Sequence[Units]
) -> list[Reading]:
    """The three readings of one coalition, with the closed form averaged over the accounts of all seeds."""
    weight = [c.total("accounts") for c in counts]
    each = [
        mean_coverage(int(c.total("nodes")), int(n), _shapes([c])) for c, n in zip(counts, bad, strict=True)
    ]
    closed = Coverage(*np.average(np.array(each), axis=0, weights=weight).tolist())
    common = {"nodes": counts[0].total("nodes"), "bad nodes": float(np.mean(bad))}
    common["accounts"] = float(sum(weight))
    for shape, number in sorted(_shapes(counts).items()):
        common[f"accounts of shape {shape.swarm} {shape.guards} {shape.union}"] = number
    found = [
        reading(
            "coalition-coverage",
            f"{label}: {TITLES[event]}",
            "prob",
            share(of_event, bound_over="unit"),
            counts={"covered": float(of_event.hits.sum()), "trials": float(of_event.trials.sum())} | common,
            baseline=min(max(expected, 0.0), 1.0),
            baseline_name="closed form: as many nodes chosen uniformly",
        )
        for event, expected, of_event in zip(EVENTS, closed, units, strict=True)
    ]
    replica, guard, both = (one.counts["covered"] for one in found)
    assert both <= min(replica, guard), "both is never more than either"
    return found


def _shapes(counts: Sequence[Counts]) -> dict[Shape, float]:
    """Add up, over seeds, how many accounts have each shape."""
    shapes: dict[Shape, float] = {}
    for c in counts:
        for key in c.sums:
            if key.startswith("shape "):
                shape = Shape(*(int(part) for part in key.split()[1:]))
                shapes[shape] = shapes.get(shape, 0.0) + c.total(key)
    return shapes


def _first(rank: npt.NDArray[np.int64], groups: Sequence[npt.NDArray[np.intp]]) -> npt.NDArray[np.int64]:
    """Give the lowest rank among each account's nodes, shape (n_accounts,); no node: past the end."""
    return np.array([rank[group].min(initial=len(rank)) for group in groups], dtype=np.int64)
