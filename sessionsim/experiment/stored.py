"""The stored scene of a replicate, and a finished replicate read back for metrics.

Beside records and truth a replicate keeps what anyone knew (`scene/nodes`, `scene/clients`,
`scene/servers`, `scene/endpoints`) and where the observers stood (`scene/positions`, `scene/vantages`), so
that everything right of the records runs later from files alone.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from sessionsim.core.errors import StorageDamaged
from sessionsim.core.ledger import Fact
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Role, Scene, Taking
from sessionsim.core.seeds import MASK64
from sessionsim.core.storage import read_ledger, read_records, read_table, read_truth, write_table
from sessionsim.core.verdict_storage import read_verdicts
from sessionsim.core.view import ACTION_COLUMNS, HAUL_COLUMNS, Table
from sessionsim.experiment.manifest import read_manifest
from sessionsim.metrics import Replicate
from sessionsim.network.version2 import Version2

ACTIONS: Final = "scene/actions.parquet"
HAULS: Final = "truth/hauls.parquet"
# How something was taken -> whether the taker stays, copies what passes, asks the swarm.
_TAKEN: Final = {
    "keys": (False, False, False), "copy": (False, True, False), "stays": (True, False, False),
    "keys, asks": (False, False, True), "copy, asks": (False, True, True), "stays, asks": (True, False, True),
}  # fmt: skip


def _texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)


def write_scene(folder: Path, scene: Scene, endpoints: Table, positions: dict[str, Position]) -> None:
    """Store the node list, all addresses, and each observer's place.

    Nodes that come later are stored like those without a swarm.
    """
    nodes = scene.nodes
    write_table(
        folder / "scene/nodes.parquet",
        {
            "ed25519": _texts([key.hex() for key in nodes.ed25519]),
            "x25519": _texts([key.hex() for key in nodes.x25519]),
            "swarm": np.array([swarm & MASK64 for swarm in nodes.swarm], dtype=np.uint64),
            "ip": np.array(nodes.ip, dtype=np.uint32),
            "port": np.array(nodes.port, dtype=np.uint16),
            "country": _texts(list(scene.node_country)),
        },
    )
    write_table(
        folder / "scene/clients.parquet",
        {
            "endpoint": np.array(scene.client_endpoints, dtype=np.int32),
            "country": _texts(list(scene.client_country)),
            "platform": _texts(list(scene.client_platform)),
        },
    )
    servers = [(end, kind) for kind, ends in sorted(scene.servers.items()) for end in ends]
    write_table(
        folder / "scene/servers.parquet",
        {
            "endpoint": np.array([end for end, _ in servers], dtype=np.int32),
            "kind": _texts([kind for _, kind in servers]),
        },
    )
    write_table(folder / "scene/endpoints.parquet", endpoints)
    _write_positions(folder, positions)


def _write_positions(folder: Path, positions: dict[str, Position]) -> None:
    held = [
        (name, *where)
        for name, position in positions.items()
        for where in (
            *((end, "tapped", -1) for end in sorted(position.tapped)),
            *((end, "operated", -1) for end in sorted(position.operated)),
            *((end, str(role), -1) for end, role in sorted(position.in_role)),
            *((taking.endpoint, _way_of(taking), taking.t_us) for taking in sorted(position.taken)),
            *((end, "known", -1) for end in sorted(position.known)),
        )
    ]
    write_table(
        folder / "scene/positions.parquet",
        {
            "vantage": _texts([name for name, _, _, _ in held]),
            "endpoint": np.array([endpoint for _, endpoint, _, _ in held], dtype=np.int32),
            "way": _texts([way for _, _, way, _ in held]),
            "since_us": np.array([since_us for _, _, _, since_us in held], dtype=np.int64),
        },
    )
    offsets = np.array([p.clock_offset_us for p in positions.values()], dtype=np.int64)
    write_table(
        folder / "scene/vantages.parquet", {"vantage": _texts(list(positions)), "clock_offset_us": offsets}
    )


def read_positions(folder: Path) -> dict[str, Position]:
    """Read where each observer stood, by name, in the order of the scenario."""
    names = read_table(folder / "scene/vantages.parquet", ("vantage", "clock_offset_us"))
    held = read_table(folder / "scene/positions.parquet", ("vantage", "endpoint", "way", "since_us"))
    places: dict[str, dict[str, list[tuple[int, int]]]] = {name: {} for name in names["vantage"].tolist()}
    for name, endpoint, way, since_us in zip(*(column.tolist() for column in held.values()), strict=True):
        if name not in places:
            raise StorageDamaged(f"{folder}/scene/positions.parquet places {name!r}, who is no observer")
        places[name].setdefault(way, []).append((endpoint, since_us))
    offsets = names["clock_offset_us"].tolist()
    return {
        name: _position(ways, offset) for (name, ways), offset in zip(places.items(), offsets, strict=True)
    }


def _position(ways: dict[str, list[tuple[int, int]]], clock_offset_us: int) -> Position:
    def ends(way: str) -> frozenset[int]:
        return frozenset(endpoint for endpoint, _ in ways.get(way, ()))

    return Position(
        tapped=ends("tapped"),
        operated=ends("operated"),
        clock_offset_us=clock_offset_us,
        in_role=frozenset((end, role) for role in Role for end in ends(role)),
        taken=frozenset(
            Taking(end, since_us, *how) for way, how in _TAKEN.items() for end, since_us in ways.get(way, ())
        ),
        known=ends("known"),
    )


def _way_of(taking: Taking) -> str:
    return next(way for way, how in _TAKEN.items() if how == taking[2:])


def write_version2(folder: Path, version2: Version2 | None) -> None:
    """Store the settings of version 2 of the protocol; None stores nothing."""
    if version2 is None:
        return
    settings = [
        (one.name, json.dumps(getattr(section, one.name)))
        for section in version2
        for one in dataclasses.fields(section)
    ]
    write_table(
        folder / "scene/version2.parquet",
        {"setting": _texts([name for name, _ in settings]), "value": _texts([text for _, text in settings])},
    )


def read_version2(folder: Path) -> dict[str, Any]:
    """Read them back; empty without version 2."""
    table = _optional(folder / "scene/version2.parquet")
    if not table:
        return {}
    names, values = table["setting"].tolist(), table["value"].tolist()
    return {name: json.loads(text) for name, text in zip(names, values, strict=True)}


def read_nodes(folder: Path) -> NodeList:
    """Read the public node list."""
    table = read_table(folder / "scene/nodes.parquet", ("ed25519", "x25519", "swarm", "ip", "port"))
    ed, x = ([bytes.fromhex(key) for key in table[name].tolist()] for name in ("ed25519", "x25519"))
    swarm, ip, port = (tuple(table[name].tolist()) for name in ("swarm", "ip", "port"))
    return NodeList(tuple(ed), tuple(x), swarm, ip, port)


def write_actions(folder: Path, actions: Table, knowing: Mapping[str, Sequence[str]]) -> None:
    """Store what active adversaries did, once for every observer who knows it.

    Args:
        actions: columns of `core.view.ACTION_COLUMNS`.
        knowing: name of each interference -> the observers.
    """
    names = actions["name"].tolist()
    told = [(k, observer) for k, name in enumerate(names) for observer in knowing[name]]
    rows = np.array([k for k, _ in told], dtype=np.int64)
    table: Table = {"observer": _texts([observer for _, observer in told])}
    write_table(folder / ACTIONS, table | {name: actions[name][rows] for name in ACTION_COLUMNS})


def read_actions(folder: Path) -> Table | None:
    """Read what active adversaries did; None for a run in which nobody interfered."""
    path = folder / ACTIONS
    return read_table(path, ("observer", *ACTION_COLUMNS)) if path.is_file() else None


def write_hauls(folder: Path, hauls: Table) -> None:
    """Store what thieves got from swarms. Args: hauls: columns of `core.view.HAUL_COLUMNS`."""
    write_table(folder / HAULS, hauls)


def read_hauls(folder: Path) -> Table | None:
    """Read what thieves got from swarms; None for a run in which nobody asked one."""
    path = folder / HAULS
    return read_table(path, HAUL_COLUMNS) if path.is_file() else None


def read_servers(folder: Path) -> dict[int, str]:
    """Read which endpoints are servers, and of what kind."""
    table = read_table(folder / "scene/servers.parquet", ("endpoint", "kind"))
    return dict(zip(table["endpoint"].tolist(), table["kind"].tolist(), strict=True))


def load_replicate(folder: Path) -> Replicate:
    """Read a finished replicate for metrics. Raises StorageDamaged if anything is missing or cut off."""
    facts = read_manifest(folder)
    found = assemble(folder, int(facts["seed"]), str(facts["suite"]))
    return dataclasses.replace(found, verdicts=read_verdicts(folder))


def assemble(folder: Path, seed: int, suite: str) -> Replicate:
    """Read a replicate whose manifest is not written yet, and which nobody has attacked."""
    positions = read_positions(folder)
    ledgers: dict[str, tuple[Fact, ...]] = {}
    if (folder / "ledger.parquet").is_file():
        facts = read_ledger(folder / "ledger.parquet")
        by_name: dict[str, list[Fact]] = {name: [] for name in positions}
        for fact in facts:
            by_name[fact.observer].append(fact)
        ledgers = {name: tuple(held) for name, held in by_name.items()}
    return Replicate(
        seed=seed,
        suite=suite,
        truth=read_truth(folder),
        records=read_records(folder),
        watched=frozenset[int]().union(*(position.watched for position in positions.values())),
        nodes=read_nodes(folder),
        endpoints=read_table(folder / "scene/endpoints.parquet", ("endpoint", "ip")),
        positions=positions,
        ledgers=ledgers,
        months=_optional(folder / "truth/months.parquet"),
        campaigns=_optional(folder / "truth/campaigns.parquet"),
        version2=read_version2(folder),
        actions=_each_once(read_actions(folder)),
    )


def _each_once(actions: Table | None) -> Table:
    """Give what was done without who knows it; of several observers of an act one is enough."""
    if actions is None:
        return {}
    first: dict[str, str] = {}
    pairs = zip(actions["name"].tolist(), actions["observer"].tolist(), strict=True)
    mine = [first.setdefault(name, observer) == observer for name, observer in pairs]
    return {name: actions[name][np.array(mine, dtype=bool)] for name in ACTION_COLUMNS}


def _optional(path: Path) -> Table:
    """Read a table that only some scenarios have; without it an empty one."""
    return read_table(path) if path.is_file() else {}
