"""The stored scene of a replicate, and a finished replicate read back for metrics.

Beside records and truth a replicate keeps what anyone knew (`scene/nodes`, `scene/endpoints`) and where
the observers stood (`scene/positions`, `scene/vantages`), so that everything right of the records runs
later from files alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sessionsim.core.ledger import Fact
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Scene
from sessionsim.core.storage import read_ledger, read_records, read_table, read_truth, write_table
from sessionsim.core.view import Table
from sessionsim.experiment.manifest import read_manifest
from sessionsim.metrics import Replicate


def _texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)


def write_scene(folder: Path, scene: Scene, endpoints: Table, positions: dict[str, Position]) -> None:
    """Store the node list, all addresses, and each observer's place."""
    nodes = scene.nodes
    write_table(
        folder / "scene/nodes.parquet",
        {
            "ed25519": _texts([key.hex() for key in nodes.ed25519]),
            "x25519": _texts([key.hex() for key in nodes.x25519]),
            "swarm": np.array(nodes.swarm, dtype=np.uint64),
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
    write_table(folder / "scene/endpoints.parquet", endpoints)
    _write_positions(folder, positions)


def _write_positions(folder: Path, positions: dict[str, Position]) -> None:
    held = [
        (name, endpoint, way)
        for name, position in positions.items()
        for way, chosen in (("tapped", position.tapped), ("operated", position.operated))
        for endpoint in sorted(chosen)
    ]
    write_table(
        folder / "scene/positions.parquet",
        {
            "vantage": _texts([name for name, _, _ in held]),
            "endpoint": np.array([endpoint for _, endpoint, _ in held], dtype=np.int32),
            "way": _texts([way for _, _, way in held]),
        },
    )
    offsets = np.array([p.clock_offset_us for p in positions.values()], dtype=np.int64)
    write_table(
        folder / "scene/vantages.parquet", {"vantage": _texts(list(positions)), "clock_offset_us": offsets}
    )


def read_positions(folder: Path) -> dict[str, Position]:
    """Read where each observer stood, by name, in the order of the scenario."""
    names = read_table(folder / "scene/vantages.parquet", ("vantage", "clock_offset_us"))
    held = read_table(folder / "scene/positions.parquet", ("vantage", "endpoint", "way"))

    def endpoints(name: str, way: str) -> frozenset[int]:
        return frozenset(held["endpoint"][(held["vantage"] == name) & (held["way"] == way)].tolist())

    return {
        name: Position(endpoints(name, "tapped"), endpoints(name, "operated"), offset)
        for name, offset in zip(names["vantage"].tolist(), names["clock_offset_us"].tolist(), strict=True)
    }


def read_nodes(folder: Path) -> NodeList:
    """Read the public node list."""
    table = read_table(folder / "scene/nodes.parquet", ("ed25519", "x25519", "swarm", "ip", "port"))
    ed, x = ([bytes.fromhex(key) for key in table[name].tolist()] for name in ("ed25519", "x25519"))
    swarm, ip, port = (tuple(table[name].tolist()) for name in ("swarm", "ip", "port"))
    return NodeList(tuple(ed), tuple(x), swarm, ip, port)


def load_replicate(folder: Path) -> Replicate:
    """Read a finished replicate for metrics. Raises StorageDamaged if anything is missing or cut off."""
    facts = read_manifest(folder)
    return assemble(folder, int(facts["seed"]), str(facts["suite"]))


def assemble(folder: Path, seed: int, suite: str) -> Replicate:
    """Read a replicate whose manifest is not written yet."""
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
        watched=frozenset().union(*(p.tapped | p.operated for p in positions.values())),
        nodes=read_nodes(folder),
        endpoints=read_table(folder / "scene/endpoints.parquet", ("endpoint", "ip")),
        positions=positions,
        ledgers=ledgers,
    )
