"""All nodes that a run is going to see, each with its endpoint from the beginning.

In a replay these are the nodes of the dated lists from the start on. At rates, each newcomer stands on the
host of a random node of the start, since operators add nodes where they have some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final

from sessionsim.core.nodelist import ABSENT
from sessionsim.core.seeds import Seeds
from sessionsim.network.membership.rules import MembershipRules
from sessionsim.network.membership.times import join_times
from sessionsim.network.snapshots import FURTHER_PORTS, Snapshot, load_snapshot, snapshot_dates

FIRST_NEW_NODE: Final = 1_000_000  # index of the first newcomer; the lists know some thousands
_PER_NODE: Final = tuple(f.name for f in fields(Snapshot) if f.name not in ("date", "height"))


@dataclass(frozen=True, slots=True)
class Roster:
    """Who there is.

    Args:
        snapshot: all nodes, those of the start first; others stand in swarm ABSENT.
        later: in a replay, of each later date up to the first beyond the end, its height and the swarm of
            each endpoint; ABSENT for those that are not in that list.
        first_new: endpoint of the first node that is not there at the start.
    """

    snapshot: Snapshot
    first_new: int
    later: tuple[tuple[int, tuple[int, ...]], ...] = ()


def make_roster(start: Snapshot, rules: MembershipRules, seeds: Seeds, horizon_us: int) -> Roster:
    """Make the roster of a run.

    Args:
        start: the nodes at the start.
        rules: how nodes come and go.
        seeds: of the replicate.
        horizon_us: end of the run.
    """
    if rules.mode == "replay":
        return _replayed(start, rules, horizon_us)
    newcomers = len(join_times(rules, len(start), seeds, horizon_us))
    if not newcomers:
        return Roster(start, len(start))
    ports = dict[int, int]()
    for host, port in zip(start.host, start.port, strict=True):
        ports[host] = max(ports.get(host, 0), port)
    rows, chosen = [], seeds.stream("membership", "hosts").integers(len(start), size=newcomers)
    for number, at in enumerate(chosen):
        row = _row(start, int(at))
        port = ports[row["host"]] = max(ports[row["host"]] + 1, FURTHER_PORTS)
        rows.append(row | {"node": FIRST_NEW_NODE + number, "swarm": ABSENT, "leaving": False, "port": port})
    return Roster(_extended(start, rows), len(start))


def _replayed(start: Snapshot, rules: MembershipRules, horizon_us: int) -> Roster:
    """Take in the nodes of later lists; with few swarms, those that come to the network in one of these.

    Where the lists are followed, nodes that move into one of these from others come in too.
    """
    dates = [date for date in snapshot_dates() if date > start.date]
    kept, there = frozenset(start.swarm), _loaded(start.date)
    whole = len(start) == len(there)
    elsewhere = set(there.node) - set(start.node)
    assigned = rules.assignment == "algorithm"
    endpoint = {node: at for at, node in enumerate(start.node)}
    rows, maps = list[dict[str, Any]](), list[tuple[int, dict[int, int]]]()
    for date in dates:
        snapshot = _loaded(date)
        of_node = dict[int, int]()
        for at, (node, swarm) in enumerate(zip(snapshot.node, snapshot.swarm, strict=True)):
            if node not in endpoint:
                if not whole and (swarm not in kept or (assigned and node in elsewhere)):
                    elsewhere.add(node)
                    continue
                endpoint[node] = len(endpoint)
                rows.append(_row(snapshot, at) | {"swarm": ABSENT})
            of_node[endpoint[node]] = swarm
        maps.append((snapshot.height, of_node))
        if (snapshot.height - start.height) * rules.block_us >= horizon_us:
            break  # the run ends before this list; what comes and goes until then is still its affair
    later = tuple(
        (height, tuple(of_node.get(at, ABSENT) for at in range(len(endpoint)))) for height, of_node in maps
    )
    return Roster(_extended(start, rows), len(start), later)


@lru_cache(maxsize=16)
def _loaded(date: str) -> Snapshot:
    return load_snapshot(date)


def _row(snapshot: Snapshot, at: int) -> dict[str, Any]:
    return {name: getattr(snapshot, name)[at] for name in _PER_NODE}


def _extended(start: Snapshot, rows: Sequence[dict[str, Any]]) -> Snapshot:
    more: dict[str, Any] = {name: (*getattr(start, name), *(row[name] for row in rows)) for name in _PER_NODE}
    return replace(start, **more)
