"""All values of a sweep: each a run of its own in a folder of its own, and one file that says what there is.

    results/<scenario>/<number>-<value>/    a run with all seeds, as without a sweep
    results/<scenario>/sweep.json           keys, values, folders, and which readings to follow

The file is written when every value is done, so a sweep that was interrupted has none; the same call goes on.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import sessionsim
from sessionsim.experiment.folder import check_folder, is_ours
from sessionsim.experiment.run import Finished, Progress, forget, run_scenario
from sessionsim.experiment.version2_facts import label_of, version2_facts
from sessionsim.scenario import Point
from sessionsim.scenario.sweep import Sweep

NAME: Final = "sweep.json"
_OTHER: Final = re.compile(r"[^a-z0-9.]+")


def folders_of(points: Sequence[Point], out: Path) -> tuple[Path, ...]:
    """Give the folder of each value: its number, counted from 1, and what can be written of it."""
    return tuple(out / _name(number, point.label) for number, point in enumerate(points, 1))


def _name(number: int, label: str) -> str:
    written = _OTHER.sub("-", label.lower().replace("%", "percent")).strip("-.")[:40]
    return f"{number:02d}-{written or 'value'}"


def check_sweep(points: Sequence[Point], out: Path) -> None:
    """Make sure that a sweep can use a folder, without changing anything.

    Raises:
        InvalidInput: it, or one for a value, holds something of others where results would go.
    """
    check_folder(out, ())
    for point, folder in zip(points, folders_of(points, out), strict=True):
        check_folder(folder, point.scenario.seeds)


def forget_sweep(points: Sequence[Point], out: Path) -> None:
    """Remove what earlier runs of these values left."""
    for folder in folders_of(points, out):
        forget(folder)
    if is_ours(out / NAME):
        (out / NAME).unlink()


def run_sweep(
    sweep: Sweep,
    points: Sequence[Point],
    out: Path,
    workers: int = 1,
    watch: Callable[[Progress], None] | None = None,
) -> list[Finished]:
    """Run every replicate of every value that is not there yet.

    Args:
        sweep: what is swept; points: its scenarios, each of which passed `preflight`.
        out: the folder of the sweep; made if need be.
        workers: processes to use.
        watch: told how far all values together are.

    Raises:
        InvalidInput, KeyboardInterrupt: as of `run_scenario`.
    """
    if is_ours(out / NAME):
        (out / NAME).unlink()  # until all is done there is no result of the sweep
    finished = []
    folders = folders_of(points, out)
    for done, (point, folder) in enumerate(zip(points, folders, strict=True)):

        def relay(reached: Progress, done: int = done) -> None:
            if watch is not None:
                seeds = reached.total
                share = (done + reached.share) / len(points)
                watch(Progress(share, done * seeds + reached.done, len(points) * seeds))

        finished.append(run_scenario(point.scenario, folder, workers, relay))
    _write(sweep, points, folders, out)
    return finished


def _write(sweep: Sweep, points: Sequence[Point], folders: Sequence[Path], out: Path) -> None:
    first = points[0].scenario
    content = {
        "format": 1,
        "version": sessionsim.__version__,
        "scenario": first.name,
        "title": first.title,
        "question": first.question,
        "keys": list(sweep.keys),
        "show": list(sweep.show),
        "label": label_of(first),
        "points": [
            {"value": point.label, "folder": folder.name, **version2_facts(point.scenario)}
            for point, folder in zip(points, folders, strict=True)
        ],
    }
    temporary = out / f".{NAME}.partial-{os.getpid()}"
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(out / NAME)
