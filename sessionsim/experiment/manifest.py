"""What a replicate says about itself, and how it is recognised when a run goes on.

Only manifests hold dates, durations, versions of libraries and the commit; all other files of a replicate
are functions of scenario and seed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import sessionsim
from sessionsim.adversary import ATTACKS
from sessionsim.core.errors import StorageDamaged
from sessionsim.experiment.stage import Task
from sessionsim.experiment.version2_facts import version2_facts
from sessionsim.scenario import Attack, Scenario, to_toml

FORMAT: Final = 1
NAME: Final = "manifest.json"
_LIBRARIES: Final = (
    "cryptography", "networkx", "numpy", "orjson", "protobuf",
    "pyarrow", "pydantic", "PyNaCl", "scipy", "simpy",
)  # fmt: skip


def replicate_hash(scenario: Scenario, task: Task) -> str:
    """Hash what a replicate's content depends on: scenario, files it names, seed, suite, version."""
    resolved = dict(scenario.resolved)
    # Which other seeds are run, and whether one is opened, changes nothing in this one.
    apart = ("seeds", "open", "suite", "keep_bytes")
    resolved["run"] = {key: value for key, value in resolved["run"].items() if key not in apart}
    # Attacks are made of what is stored: other attacks need no other run.
    for section in ("attacks", "background", "training"):
        resolved.pop(section, None)
    content = {
        "format": FORMAT,
        "version": sessionsim.__version__,
        "scenario": scenario.name,
        "resolved": resolved,
        "files": dict(scenario.files),
        "seed": task.seed,
        "suite": task.suite,
        "keep_bytes": task.keep_bytes,
    }
    return _digest(json.dumps(content, sort_keys=True).encode())


def _digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


@cache
def code_digest() -> str:
    """Hash the program and its data files, so that a changed program does not go on with old replicates."""
    root = Path(sessionsim.__file__).parent
    state = hashlib.blake2b(digest_size=16)
    for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        state.update(path.relative_to(root).as_posix().encode() + b"\0")
        state.update(hashlib.blake2b(path.read_bytes()).digest())
    return state.hexdigest()


def commit() -> str:
    """Give the commit of the checkout that runs; empty outside one."""
    git = Path(sessionsim.__file__).parent.parent / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        if (git / name).is_file():
            return (git / name).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""


def common_facts(scenario: Scenario) -> dict[str, Any]:
    """Give what all replicates of a scenario share."""
    return {
        "format": FORMAT,
        "version": sessionsim.__version__,
        "commit": commit(),
        "code": code_digest(),
        "scenario": scenario.name,
        "title": scenario.title,
        "question": scenario.question,
        "observers": [{"name": v.name, "kind": v.kind} for v in scenario.vantages],
        "attacks": [_described(attack) for attack in scenario.attacks],
        "resolved": scenario.resolved,
        "resolved_toml": to_toml(scenario.resolved) + "\n",
        "files_used": dict(scenario.files),
        "settings": list(scenario.settings),
        **version2_facts(scenario),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }


def _described(attack: Attack) -> dict[str, str]:
    """Say what an attack asks, and who published it."""
    entry = ATTACKS[attack.kind]
    question = entry.factory(attack.config).question.facts
    return {
        "name": attack.name,
        "kind": attack.kind,
        "vantage": attack.vantage,
        "asks": question.words,
        "secret": question.secret.value,
        "source": entry.source,
    }


def write_manifest(folder: Path, facts: Mapping[str, Any], durations: Mapping[str, float]) -> None:
    """Write a folder's manifest, the last of its files.

    Args:
        folder: where the other files already are; their sizes are noted, but for that of its own readings,
            which are written anew when verdicts have been judged.
        facts: what the manifest says, the same for each repetition of the run.
        durations: wall-clock seconds by step; with the date they make the entry `timing`.
    """
    timing = {"written": datetime.now(UTC).isoformat(timespec="seconds"), **durations}
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*.parquet"))
        if path.name != "readings.parquet"
    }
    text = json.dumps({**facts, "timing": timing, "files": sizes}, indent=1, ensure_ascii=False)
    temporary = folder / f".{NAME}.partial-{os.getpid()}"
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(folder / NAME)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a folder's manifest. Raises StorageDamaged if there is none, or it is not whole."""
    path = folder / NAME
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise StorageDamaged(f"{path} is missing: not a finished run") from missing
    except (OSError, ValueError) as broken:
        raise StorageDamaged(f"{path} cannot be read") from broken
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise StorageDamaged(f"{path} is of another format")
    return facts


def is_whole(folder: Path, wanted_hash: str) -> bool:
    """Tell whether a folder holds exactly this replicate, all files present in full, made by this program."""
    try:
        facts = read_manifest(folder)
    except StorageDamaged:
        return False
    same = facts.get("hash") == wanted_hash and facts.get("code") == code_digest()
    return same and all(
        (folder / name).is_file() and (folder / name).stat().st_size == size
        for name, size in facts.get("files", {}).items()
    )
