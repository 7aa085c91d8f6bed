"""The matrix of who learned what as plain text, for the terminal: the same cells as on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._secrets import Cell, matrix

_DISCS: Final = {"empty": "○", "half": "◐", "full": "●", "none": "–"}


def matrix_of(readings: Iterable[Reading], observers: Sequence[str]) -> str:
    """Write the matrix: one block per secret, one line per observer, in the order given."""
    found = Readings(readings)
    width = max((len(name) for name in observers), default=0)
    lines: list[str] = []
    for secret, cells in matrix(found, observers):
        lines.append(f"{secret.id}  {secret.title}")
        lines += [f"  {name:{width}}  {_said(cell)}" for name, cell in zip(observers, cells, strict=True)]
    return "\n".join(lines)


def _said(cell: Cell) -> str:
    parts = [
        f"{_DISCS[cell.disc]} {cell.word}",
        cell.share,
        f"interval {cell.interval}" if cell.interval else "",
    ]
    return "  ".join(part for part in parts if part)
