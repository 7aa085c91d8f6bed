"""Runs of the swarm assignment under arrivals and departures, and the figures that describe a run.

The plans are those of `swarm-statistics.json`: a network grows (one node per block, all in one block, or to a
peak and back), then days of arrivals and departures follow, each in its own block or a day's in one. Who
leaves is drawn uniformly from the nodes that are there; newcomers have new keys; every block has a random
seed. The figures are defined at `state_figures` and `_days`; the comparison with reference figures is in
`agreement`.

All plans of one seed share the growth of their start, which is most of the work. So figures of one seed
depend on each other between plans, but not between seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.protocol.swarm_membership import Changes, Membership, changes, register, remove, settle
from sessionsim.protocol.swarm_rules import SwarmRules

Figures = dict[str, float]

_RING: Final = 2.0**64
_LARGEST: Final = 100_000  # Assumption: more nodes, swarms or days than this in a plan are a mistake


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario.

    Args:
        mode: `one_by_one`, `bulk`, or `peak`: grown to `swarms` swarms, then down to `nodes` one by one.
        nodes: when the days begin. swarms: of a peak.
        days: 0 for growth alone. arrivals, departures: a day. batch: a day's changes are one block.
    """

    mode: str
    nodes: int
    swarms: int = 0
    days: int = 0
    arrivals: int = 0
    departures: int = 0
    batch: bool = False


def plan_of(parameters: Mapping[str, Any]) -> Plan:
    """Read the `parameters` of a scenario. Raises InvalidInput: unknown or missing keys, wrong values."""
    start, run = parameters.get("start"), parameters.get("run", {})
    if not isinstance(start, dict) or not isinstance(run, dict) or {*parameters} - {"start", "run"}:
        raise InvalidInput("parameters", parameters, "the objects start and perhaps run")
    try:
        plan = Plan(**start, **run)
    except TypeError as wrong:
        raise InvalidInput("parameters", parameters, "the fields of a plan, each once") from wrong
    numbers = (plan.nodes, plan.swarms, plan.days, plan.arrivals, plan.departures)
    if not all(isinstance(number, int) and 0 <= number <= _LARGEST for number in numbers):
        raise InvalidInput("parameters", numbers, f"whole numbers, 0 to {_LARGEST}")
    if plan.mode not in {"one_by_one", "bulk", "peak"} or not isinstance(plan.batch, bool):
        raise InvalidInput(
            "parameters", (plan.mode, plan.batch), "one_by_one, bulk or peak; batch true or false"
        )
    if plan.nodes < 1 or plan.nodes + plan.days * (plan.arrivals - plan.departures) < plan.departures:
        raise InvalidInput("parameters", numbers, "nodes enough for all departures")
    return plan


def run_plans(plans: Mapping[str, Plan], seed: int, rules: SwarmRules) -> dict[str, Figures]:
    """Run every plan once.

    Args:
        plans: by name.
        seed: 0 or more; same seed, same figures, whatever else is among the plans.
        rules: of the assignment.

    Returns:
        Name -> figures, named as in the reference file with dots between levels. A figure that this run does
        not have (no dissolution, no swarm of that size) is left out.
    """
    seeds = Seeds(seed)
    grown = _grow([plan for plan in plans.values() if plan.mode != "bulk"], seeds, rules)
    return {name: _run(name, plan, grown, seeds, rules) for name, plan in plans.items()}


def state_figures(membership: Membership[int]) -> Figures:
    """Describe a map of swarms.

    Returns:
        Numbers of nodes and swarms; least, mean and largest size; least, median and largest arc and their
        coefficient of variation; largest over least gap; number and share of swarms of each size. An arc is
        half the gap to both neighbours on the ring, over the mean arc.
    """
    sizes = np.array([len(nodes) for nodes in membership.swarms.values()])
    ids = np.sort(np.array([float(swarm) for swarm in membership.swarms]))
    gaps = np.diff(ids, append=ids[0] + _RING)
    arcs = (gaps + np.roll(gaps, 1)) / 2 * len(ids) / _RING
    figures = {
        "nodes": sizes.sum(),
        "swarms": len(sizes),
        "size_min": sizes.min(),
        "size_mean": sizes.mean(),
        "size_max": sizes.max(),
        "arc_min": arcs.min(),
        "arc_median": np.median(arcs),
        "arc_max": arcs.max(),
        "arc_cv": arcs.std() / arcs.mean(),
        "gap_max_over_min": gaps.max() / gaps.min(),
    }
    for size, number in zip(*np.unique(sizes, return_counts=True), strict=True):
        figures[f"size_histogram.{size}.swarms"] = number
        figures[f"size_histogram.{size}.mean_share"] = number / len(sizes)
    return {name: float(value) for name, value in figures.items()}


class _Network:
    """A network whose nodes come and go. Args: chance: who leaves, and the seeds of blocks."""

    def __init__(self, membership: Membership[int], chance: np.random.Generator, rules: SwarmRules) -> None:
        self.membership, self.chance, self._rules = membership, chance, rules
        self._live = sorted(node for nodes in membership.swarms.values() for node in nodes)
        self._next = self._live[-1] + 1 if self._live else 0

    def __len__(self) -> int:
        return len(self._live)

    def block(self, arrivals: int, departures: int) -> Changes[int]:
        """Let nodes leave and come in one block. Returns what changed in the map."""
        before = self.membership
        leaving = [self._leave() for _ in range(departures)]
        coming = range(self._next, self._next + arrivals)
        self._next += arrivals
        self._live.extend(coming)
        changed = register(remove(before, leaving), coming)
        seed = int(self.chance.integers(1 << 64, dtype=np.uint64))
        self.membership = settle(changed, seed, self._rules)
        return changes(before.swarms, self.membership.swarms)

    def _leave(self) -> int:
        at, live = int(self.chance.integers(len(self._live))), self._live
        live[at], live[-1] = live[-1], live[at]
        return live.pop()


def _grow(plans: list[Plan], seeds: Seeds, rules: SwarmRules) -> dict[tuple[str, int], Membership[int]]:
    """Grow one network node by node, and keep it as it was when it first had what a plan starts from."""
    wanted = {("swarms", plan.swarms) if plan.mode == "peak" else ("nodes", plan.nodes) for plan in plans}
    network = _Network(Membership(), seeds.stream("growth"), rules)
    found: dict[tuple[str, int], Membership[int]] = {}
    while wanted - found.keys():
        network.block(1, 0)
        for reached in (("nodes", len(network)), ("swarms", len(network.membership.swarms))):
            if reached in wanted:
                found.setdefault(reached, network.membership)
    return found


def _run(
    name: str, plan: Plan, grown: Mapping[tuple[str, int], Membership[int]], seeds: Seeds, rules: SwarmRules
) -> Figures:
    chance, figures = seeds.stream("plan", name), {}
    if plan.mode == "bulk":
        network = _Network(Membership(), chance, rules)
        network.block(plan.nodes, 0)
    elif plan.mode == "one_by_one":
        network = _Network(grown["nodes", plan.nodes], chance, rules)
    else:
        network = _Network(grown["swarms", plan.swarms], chance, rules)
        figures["peak_nodes"] = float(len(network))
        shrinking = [network.block(0, 1) for _ in range(len(network) - plan.nodes)]
        figures["swarms_dissolved_before_start"] = float(sum(len(block.dissolved) for block in shrinking))
    state = "state_at_start" if plan.days else "state"
    figures |= _named(state, state_figures(network.membership))
    if plan.days:
        figures |= _named("over_the_run", _days(network, plan))
        figures |= _named("state_at_end", state_figures(network.membership))
    return figures


def _named(level: str, figures: Figures) -> Figures:
    return {f"{level}.{name}": value for name, value in figures.items()}


def _days(network: _Network, plan: Plan) -> Figures:
    """Let the days pass. What moves is counted in each block, swarms at the end of each day."""
    moved, created, dissolved, swarms = [], [], [], []
    for _ in range(plan.days):
        blocks = [network.block(*sizes) for sizes in _blocks(plan, network.chance)]
        moved.append(sum(len(block.moved) for block in blocks))
        created.append(sum(len(block.created) for block in blocks))
        dissolved.append(sum(len(block.dissolved) for block in blocks))
        swarms.append(len(network.membership.swarms))
    figures = {
        "moved_per_day": sum(moved) / plan.days,
        "moved_max_day": max(moved),
        "moved_total": sum(moved),
        "days_with_moves": sum(map(bool, moved)),
        "swarms_created": sum(created),
        "swarms_dissolved": sum(dissolved),
        "days_with_dissolution": sum(map(bool, dissolved)),
        "fewest_swarms": min(swarms),
    }
    if any(dissolved):
        figures["first_dissolution_day_where_any"] = 1 + list(map(bool, dissolved)).index(True)
    return {name: float(value) for name, value in figures.items()}


def _blocks(plan: Plan, chance: np.random.Generator) -> list[tuple[int, int]]:
    """Give a day's blocks as numbers of arrivals and departures."""
    if plan.batch:
        return [(plan.arrivals, plan.departures)]
    singles = [(1, 0)] * plan.arrivals + [(0, 1)] * plan.departures
    return [singles[at] for at in chance.permutation(len(singles))]
