"""Read a stored run for its report: readings, manifests, times of messages, ledgers. Nothing is computed.

Takes the folder of a scenario (its replicates in it) or of one replicate. What cannot be read whole is
`StorageDamaged`; a file that is missing because the run did not need it (a ledger) is simply absent.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np

from sessionsim.core.arrivals import OF_DELIVERIES, OF_MESSAGES, arrivals
from sessionsim.core.errors import StorageDamaged
from sessionsim.core.ledger import Fact
from sessionsim.core.readings import Reading
from sessionsim.core.storage import read_ledger, read_table
from sessionsim.report._data import ReportData, SeedFacts

_OF_THE_RUN: Final = (
    "title", "question", "observers", "attacks", "resolved", "resolved_toml", "settings",
)  # fmt: skip
# Notices shipped beside the data, by the room that uses it.
_NOTICES: Final = {
    "network/data": "Node list, round-trip times, places",
    "workload/data": "Message lengths and conversation times",
    "protocol/data": "Word list of recovery phrases",
}


def load(run_dir: Path) -> ReportData:
    """Read everything a report needs.

    Raises:
        StorageDamaged: there is no readings.json or no manifest, or a file cannot be read.
    """
    stored = _json(run_dir / "readings.json")
    readings = tuple(_readings(run_dir / "readings.json", stored))
    folders = _replicates(run_dir, stored)
    if not folders:
        raise StorageDamaged(f"{run_dir} holds no finished replicate (no manifest.json)")
    manifests = [(folder, _manifest(folder / "manifest.json")) for folder in folders]
    manifests.sort(key=lambda pair: int(pair[1]["seed"]))
    facts: list[Fact] = []
    seeds = []
    for folder, manifest in manifests:
        ledger = folder / "ledger.parquet"
        if manifest.get("keep_bytes") and not ledger.exists():
            raise StorageDamaged(f"{ledger} is missing, but the bytes of this replicate were opened")
        if ledger.exists():
            facts += read_ledger(ledger)
        seeds.append(_seed(folder, manifest, opened=ledger.exists()))
    first = manifests[0][1]
    if run_dir != manifests[0][0] and (run_dir / "manifest.json").is_file():
        # Attacks may have been made later than the replicates: what all seeds say together is the newest.
        whole = _json(run_dir / "manifest.json")
        first = {**first, **{key: whole[key] for key in _OF_THE_RUN if key in whole}}
    return ReportData(
        name=str(first.get("scenario") or run_dir.resolve().name),
        readings=readings,
        manifest=first,
        seeds=tuple(seeds),
        facts=tuple(facts),
        licences=_licences(),
    )


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises StorageDamaged: it is missing or cut off."""
    return _json(path)


def read_stored(run_dir: Path) -> tuple[Reading, ...]:
    """Read the readings of all seeds of a run. Raises StorageDamaged: they are missing or broken."""
    path = run_dir / "readings.json"
    return tuple(_readings(path, _json(path)))


def _replicates(run_dir: Path, stored: Any) -> list[Path]:
    """List the replicates that the readings are of; a folder may hold others, of earlier runs."""
    if (run_dir / "truth").is_dir():
        return [run_dir]
    found = sorted(path.parent for path in run_dir.glob("*/manifest.json") if path.parent.name.isdecimal())
    seeds = stored.get("seeds") if isinstance(stored, dict) else None
    if not isinstance(seeds, list):
        return found
    missing = [seed for seed in seeds if run_dir / str(seed) not in found]
    if missing and found:
        raise StorageDamaged(f"{run_dir / str(missing[0])} is missing, but readings.json speaks of it")
    return [folder for folder in found if int(folder.name) in seeds]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise StorageDamaged(f"{path} is missing") from missing
    except (OSError, ValueError) as broken:
        raise StorageDamaged(f"{path} cannot be read: cut off, or not JSON") from broken


def _manifest(path: Path) -> dict[str, Any]:
    facts = _json(path)
    if not isinstance(facts, dict) or type(facts.get("seed")) is not int:
        raise StorageDamaged(f"{path} is no manifest of a replicate")
    return facts


def _readings(path: Path, stored: Any) -> list[Reading]:
    try:
        items = stored["readings"] if isinstance(stored, dict) else stored
        return [Reading(**item) for item in items]
    except (KeyError, TypeError) as unlike:
        raise StorageDamaged(f"{path} holds readings of another format") from unlike


def _seed(folder: Path, manifest: dict[str, Any], *, opened: bool) -> SeedFacts:
    messages = read_table(folder / "truth/messages.parquet", (*OF_MESSAGES, "intent_us", "stored_us"))
    got = arrivals(messages, read_table(folder / "truth/deliveries.parquet", OF_DELIVERIES))
    rows, delivered = got["message"].astype(np.int64), got["delivered_us"].astype(np.int64)
    intent, stored = (messages[name][rows].astype(np.int64) for name in ("intent_us", "stored_us"))
    return SeedFacts(int(manifest["seed"]), str(manifest.get("suite", "")), opened, intent, stored, delivered)


def _licences() -> dict[str, str]:
    """Read the notices that ship with the package's data."""
    found = {}
    for place, title in _NOTICES.items():
        notice = resources.files("sessionsim").joinpath(place, "LICENCES.md")
        if notice.is_file():
            found[title] = notice.read_text(encoding="utf-8")
    return found
