"""Verdicts on disk: one table per replicate, `verdicts.parquet`, equal content giving equal bytes.

One row per guess, in the order in which the attacks stand in the scenario. The text `made of` in the file's
metadata says what the verdicts depend on, so that a run can tell whether they are still those it wants. An
attack without a guess has a row of its own with an empty subject, or it would be forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from sessionsim.core.errors import StorageDamaged
from sessionsim.core.storage import read_table, read_text, write_table
from sessionsim.core.verdict import Labelled, Question, Verdict, texts, verdict_of

NAME: Final = "verdicts.parquet"
_MADE_OF: Final = "made of"
_LABELS: Final = ("attack", "kind", "observer", "population", "question")
_GUESSES: Final = ("subject", "candidate", "score", "prob", "among", "t_us")


def write_verdicts(folder: Path, verdicts: Sequence[Labelled], made_of: str) -> None:
    """Store all verdicts of a replicate. Args: made_of: see `are_made_of`."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in (*_LABELS, *_GUESSES)}
    for one in verdicts:
        verdict = one.verdict if len(one.verdict) else _nothing(one.verdict.question)
        n = len(verdict)
        named = (one.attack, one.kind, one.observer, one.population, verdict.question.value)
        for name, value in zip(_LABELS, named, strict=True):
            columns[name].append(np.full(n, value, dtype=np.int64 if name == "population" else object))
        for name in _GUESSES:
            columns[name].append(getattr(verdict, name))
    table: dict[str, Any] = {name: np.concatenate(parts) for name, parts in columns.items() if parts}
    if not table:
        table = {name: np.zeros(0, dtype=np.int64) for name in columns}
    write_table(folder / NAME, table, {_MADE_OF: made_of})


def _nothing(question: Question) -> Verdict:
    none = np.zeros(1, dtype=np.int64)
    return Verdict(question, texts([""]), texts([""]), np.zeros(1), np.full(1, np.nan), none, none - 1)


def are_made_of(folder: Path, made_of: str) -> bool:
    """Tell whether a replicate's verdicts are there, whole, and of what they should be."""
    try:
        return read_text(folder / NAME, _MADE_OF) == made_of
    except StorageDamaged:
        return False


def read_verdicts(folder: Path) -> tuple[Labelled, ...]:
    """Read the verdicts of a replicate in their order; none where nothing was attacked.

    Raises:
        StorageDamaged: the file is cut off, or no table of verdicts.
    """
    if not (folder / NAME).is_file():
        return ()
    table = read_table(folder / NAME, (*_LABELS, *_GUESSES))
    n = len(table["attack"])
    if not n:
        return ()
    changes = np.zeros(n, dtype=bool)
    changes[0] = True
    for name in ("attack", "population"):
        changes[1:] |= table[name][1:] != table[name][:-1]
    starts = np.flatnonzero(changes)
    found = []
    for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), n], strict=True):
        label = {name: table[name][begin] for name in _LABELS}
        try:
            question = Question(str(label["question"]))
        except ValueError as unknown:
            raise StorageDamaged(f"{folder / NAME} asks {label['question']!r}") from unknown
        part: dict[str, Any] = {name: table[name][begin:end] for name in _GUESSES}
        empty = end - begin == 1 and part["subject"][0] == ""
        verdict = verdict_of(question, ()) if empty else Verdict(question, **part)
        found.append(
            Labelled(
                str(label["attack"]),
                str(label["kind"]),
                str(label["observer"]),
                int(label["population"]),
                verdict,
            )
        )
    return tuple(found)
