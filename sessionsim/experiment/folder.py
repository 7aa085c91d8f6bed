"""The folder of a run: nothing of others in it is overwritten or removed, and one run at a time uses it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sessionsim.core.errors import InvalidInput

# What a replicate consists of; a folder with anything else in it is not ours to replace.
_PARTS: Final = frozenset(
    {"manifest.json", "readings.parquet", "ledger.parquet", "verdicts.parquet", "records", "truth", "scene"}
)
# How each file of all seeds begins, as far as it shows whose it is even when cut off.
_BEGINNINGS: Final = {
    "manifest.json": b'{\n "format":',
    "readings.json": b'{\n "format":',
    "sweep.json": b'{\n "format":',
    "report.html": b"<!doctype html>",
}
_GENERATOR: Final = b'name="generator" content="sessionsim'
_ALLOWED: Final = "a folder that is free of files of others under the names that a run uses"


def is_replicate(folder: Path) -> bool:
    """Tell whether a folder is one that a run may replace: named like a seed, with nothing strange in it."""
    real = folder.is_dir() and not folder.is_symlink() and folder.name.isdecimal()
    return real and all(path.name in _PARTS for path in folder.iterdir())


def check_folder(out: Path, seeds: Iterable[int]) -> None:
    """Make sure that a run can use a folder, without changing anything.

    Args:
        out: the folder of all seeds; need not exist.
        seeds: those whose replicates are to be written.

    Raises:
        InvalidInput: it is no folder, or holds something of others where results would go.
    """
    try:
        if not out.is_dir():
            if out.exists() or out.is_symlink():
                raise InvalidInput("--out", str(out), "a folder, or a name that is free")
            nearest = next(parent for parent in out.absolute().parents if _is_there(parent))
            if not nearest.is_dir():
                raise InvalidInput("--out", str(out), "a folder below another, not below a file")
            return
        strange = [
            path for path in (out / str(seed) for seed in seeds) if _is_there(path) and not is_replicate(path)
        ]
        strange += [out / name for name in _BEGINNINGS if _is_there(out / name) and not _is_ours(out / name)]
        if _is_there(out / "figures") and not (out / "figures").is_dir():
            strange.append(out / "figures")
    except OSError as wrong:
        raise InvalidInput("--out", str(out), "a folder that can be read", f"{wrong.strerror}.") from wrong
    if strange:
        raise InvalidInput("--out", str(strange[0]), _ALLOWED)


def is_ours(path: Path) -> bool:
    """Tell whether a file of all seeds (manifest, readings, report) was written by a run."""
    return _is_there(path) and _is_ours(path)


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        begin = file.read(2000)
    if not begin:
        return True
    return begin.startswith(_BEGINNINGS[path.name]) and (path.suffix != ".html" or _GENERATOR in begin)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Make the folder if need be and keep other runs out of it for a while; a run that dies lets go.

    Raises:
        InvalidInput: another run is using it.
        OSError: it cannot be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    handle = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise InvalidInput("--out", str(out), "a folder that no other run is writing to now") from busy
        yield
    finally:
        os.close(handle)
