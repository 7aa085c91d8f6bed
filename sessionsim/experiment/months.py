"""What months bring: first moments at which a coalition stands around an account, by the path-only engine.

A run simulates minutes; guards last for days and accounts for years. For every observer that runs nodes, and
every platform, thousands of accounts keep and change their guards and paths as the clients do, without bytes,
on the same node list and with the same rules (`network.population`). Beside that, fresh paths as the client
would build them show what selective denial does: paths that do not profit the coalition are dropped, and of
those that still work a larger share is its own. Campaigns of registrations show what it takes to get into the
swarm of one chosen account (`network.capture`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._selective_denial import selective_denial
from sessionsim.core.errors import InvalidInput
from sessionsim.core.scene import Position
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.storage import write_table
from sessionsim.metrics.closed_forms.paths import registrations_before_new, swarm_reached_by_size
from sessionsim.network.capture import campaign, sizes_met
from sessionsim.network.population import (
    LIVES,
    FirstTimes,
    Network,
    PathLife,
    first_compromise,
    paths_of,
)
from sessionsim.network.snapshots import Snapshot, load_snapshot
from sessionsim.protocol.client.rules import PLATFORMS, ClientRules
from sessionsim.protocol.swarm_rules import SwarmRules
from sessionsim.scenario import Scenario

Ints = npt.NDArray[np.int64]

EVENTS: Final = ("guard", "guard_and_replica", "guard_and_last")
STANDING: Final = ("replica", "swarm", "guards", "around")


@dataclass(frozen=True, slots=True)
class Months:
    """How many accounts are followed for how long, and what else befalls them."""

    accounts: int = setting(
        0, doc="Accounts per platform that are followed for months by their paths alone; 0 for none.",
        source="Assumption: none unless a scenario asks for it", low=0, high=10_000_000,
    )  # fmt: skip
    days: float = setting(
        365.0, doc="For how many days.", source="threat-model Q1: days 1 to 365", low=0.01, high=3650
    )
    platforms: tuple[str, ...] = setting(
        ("android", "desktop", "ios"), doc="Platforms whose guards and rotations are followed.",
        source="transport 4: they differ in how long guards and paths last",
    )  # fmt: skip
    forced_per_day: float = setting(
        0.0,
        doc="How often a day an attacker makes a client give up a guard, as a rate per guard.",
        source="Assumption: none; metrics 2g, rotation forcing, sweeps it", low=0, high=1000,
    )  # fmt: skip
    swarm_size: int = setting(
        0, doc="Regroup the nodes of the list into swarms of so many; 0 keeps its swarms.",
        source="threat-model 4 assumes 7; the list of 28 April has nearly all 5", low=0, high=100,
    )  # fmt: skip
    campaigns: int = setting(
        0, doc="Campaigns of registrations against the swarm of one account; 0 for none.",
        source="Assumption: none unless a scenario asks for it", low=0, high=10_000,
    )  # fmt: skip
    registrations: int = setting(
        250, doc="How many nodes a campaign registers.",
        source="metrics 2a: 158 reach a swarm of 228 in half of the cases", low=1, high=100_000,
    )  # fmt: skip

    def __post_init__(self) -> None:
        strange = [name for name in self.platforms if name not in LIVES]
        if strange or not self.platforms:
            raise InvalidInput("platforms", strange[0] if strange else "none", ", ".join(sorted(LIVES)))


def life_of(platform: str, rules: ClientRules, forced_per_day: float) -> PathLife:
    """Give how long guards and paths last by the rules of a platform."""
    return PathLife(
        rebuild_us=rules.rotation_us or LIVES[platform].rebuild_us,
        guard_age_us=rules.guard_age_us,
        guard_loss_per_day=forced_per_day,
    )


def network_of(snapshot: Snapshot, swarm_size: int) -> Network:
    """Give the node list as the engine takes it. Args: swarm_size: see Months."""
    if not swarm_size:
        swarm = np.unique(np.array(snapshot.swarm, dtype=np.uint64), return_inverse=True)[1]
    else:
        # Nodes in the list's order, so many to a swarm; the last swarm takes what is left over.
        swarms = max(1, len(snapshot.node) // swarm_size)
        swarm = np.minimum(np.arange(len(snapshot.node)) // swarm_size, swarms - 1)
    return Network(np.array(snapshot.net24, dtype=np.int64), swarm.astype(np.int64))


def write_months(folder: Path, scenario: Scenario, positions: Mapping[str, Position], seed: int) -> None:
    """Follow accounts and campaigns for each observer with nodes, and store what came of them."""
    config: Months = scenario.sections["months"]
    seeds = Seeds(seed)
    snapshot = load_snapshot(scenario.network.date, limit_swarms=scenario.network.limit_swarms or None)
    if config.accounts:
        network = network_of(snapshot, config.swarm_size)
        # Platforms that the run itself has no clients of are followed by their usual rules.
        client_rules = {**PLATFORMS, **scenario.rules}
        write_table(folder / "truth/months.parquet", _months(config, network, client_rules, positions, seeds))
    if config.campaigns:
        rules = scenario.sections["network.swarms"]
        write_table(folder / "truth/campaigns.parquet", _campaigns(config, snapshot, rules, seeds))


def _months(
    config: Months,
    network: Network,
    rules: Mapping[str, ClientRules],
    positions: Mapping[str, Position],
    seeds: Seeds,
) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            "observer",
            "platform",
            "bad",
            "nodes",
            "swarm_share",
            "works",
            "owned",
            *EVENTS,
            *STANDING,
        )
    }
    for observer, position in positions.items():
        bad = np.zeros(len(network), dtype=bool)
        bad[[node for node in position.operated if node < len(network)]] = True
        if not bad.any():
            continue
        swarms = np.zeros(int(network.swarm.max()) + 1, dtype=bool)
        swarms[network.swarm[bad]] = True
        for platform in config.platforms:
            life = life_of(platform, rules[platform], config.forced_per_day)
            own = seeds.address("months", observer, platform)
            times = first_compromise(
                network, bad, rules[platform], life, config.accounts, config.days, Seeds(own)
            )
            works, owned = _denial(network, bad, rules[platform], config.accounts, Seeds(own))
            row: dict[str, Any] = {
                "observer": observer, "platform": platform, "bad": int(bad.sum()), "nodes": len(network),
                "swarm_share": float(swarms.mean()),
            }  # fmt: skip
            for name, value in row.items():
                columns[name].append(
                    np.full(config.accounts, value, dtype=object if isinstance(value, str) else None)
                )
            columns["works"].append(works)
            columns["owned"].append(owned)
            for name in (*EVENTS, *STANDING):
                columns[name].append(getattr(times, name))
    table = {name: np.concatenate(parts) for name, parts in columns.items() if parts}
    if not table:
        table = {name: np.zeros(0, dtype=np.int64) for name in columns}
    horizon = np.full(len(table["bad"]), round(config.days * 86_400_000_000), dtype=np.int64)
    # Times carry their unit in the name, as every stored time does.
    return {f"{name}_us" if name in EVENTS else name: values for name, values in table.items()} | {
        "horizon_us": horizon
    }


def _denial(
    network: Network, bad: npt.NDArray[np.bool_], rules: ClientRules, accounts: int, seeds: Seeds
) -> tuple[Ints, Ints]:
    """Give, per account, how many of its paths still work under selective denial, and how many are owned."""
    stream = seeds.stream("denial")

    def candidates(k: int, positions: Ints) -> Ints:
        return stream.integers(len(network), size=len(positions))

    paths = paths_of(network.net24, rules, accounts, candidates, candidates)
    fate = selective_denial(bad[paths].reshape(-1, paths.shape[2]))
    shape = paths.shape[:2]
    works, owned = (flags.reshape(shape).sum(axis=1).astype(np.int64) for flags in fate)
    return works, owned


def by_rule(
    swarms: Mapping[int, Sequence[int]], rules: SwarmRules, registrations: int
) -> npt.NDArray[np.float64]:
    """Give the closed form of a campaign: how likely an account's swarm is reached, after each registration.

    Returns:
        Shape (registrations,); NaN from where on a new swarm may have been formed, or if one starves.
    """
    found = np.full(registrations, np.nan)
    sizes = Counter(map(len, swarms.values()))
    if min(sizes) < rules.minimum:
        return found
    until = min(
        registrations, registrations_before_new(sizes, rules.excess_base, rules.new_size, rules.margin)
    )
    found[:until] = swarm_reached_by_size(sizes, sizes_met(swarms), rules.fill_percentile, until)
    return found


def _campaigns(config: Months, snapshot: Snapshot, rules: SwarmRules, seeds: Seeds) -> dict[str, Any]:
    swarms: dict[int, list[int]] = {}
    for node, swarm in enumerate(snapshot.swarm):
        swarms.setdefault(swarm, []).append(node)
    stream = seeds.stream("capture", "targets")
    own, size, number = [], [], []
    for k in range(config.campaigns):
        target = int(stream.integers(1 << 63)) * 2 + int(stream.integers(2))
        found = campaign(swarms, target, config.registrations, rules, seeds, k)
        own.append(found[0])
        size.append(found[1])
        number.append(np.full(config.registrations, k, dtype=np.int64))
    return {
        "campaign": np.concatenate(number), "own": np.concatenate(own), "size": np.concatenate(size),
        "swarms": np.full(config.campaigns * config.registrations, len(swarms), dtype=np.int64),
        "by_rule_prob": np.tile(by_rule(swarms, rules, config.registrations), config.campaigns),
    }  # fmt: skip


__all__ = ["EVENTS", "FirstTimes", "Months", "by_rule", "network_of", "write_months"]
