"""Reading a trace of who wrote to whom: any comma-separated file `src,dst,unixtime`.

One message a line, names of people as whole numbers 0 or more, time in whole seconds, lines in time order,
an optional header line `src,dst,unixtime`. A wrong line is refused with its file and number. `statistics`
gives the figures by which a loader of a published trace can be checked (metrics 4.1, V23): for the
CollegeMsg file 59,835 messages, 1,899 people, 20,296 ties, 63.6 % reciprocity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import InvalidInput

HEADER: Final = "src,dst,unixtime"
_LINE: Final = re.compile(r"(\d{1,18}),(\d{1,18}),(\d{1,18})\Z", re.ASCII)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Messages in time order. Args: src, dst: names of people; time_s: seconds; each shape (n,), int64."""

    src: Ints
    dst: Ints
    time_s: Ints

    def __len__(self) -> int:
        return len(self.src)

    def people(self) -> list[int]:
        """List everybody's name by first appearance, the sender of a line before its recipient."""
        return list(dict.fromkeys(np.column_stack((self.src, self.dst)).ravel().tolist()))


@dataclass(frozen=True, slots=True)
class TraceStatistics:
    """What identifies a trace.

    Args:
        messages, people, senders: counts; senders wrote at least once.
        ties: ordered pairs (sender, recipient) that occur; undirected_ties: pairs without order.
        reciprocity: share of ties whose reverse occurs too, 0..1.
        span_s: first to last message, seconds.
    """

    messages: int
    people: int
    senders: int
    ties: int
    undirected_ties: int
    reciprocity: float
    span_s: int


def load(path: str | Path) -> Trace:
    """Read and check a trace file.

    Raises:
        InvalidInput: the file is missing, unreadable or empty, or a line has not three whole numbers,
            is addressed to its sender or is earlier than the line before. Places are `file:line`.
    """
    name = Path(path).name or str(path)
    try:
        content = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise InvalidInput(
            "trace", str(path), "a readable text file src,dst,unixtime", f"{reason}."
        ) from error
    rows: list[tuple[int, int, int]] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if number == 1 and line.replace(" ", "").lower() == HEADER:
            continue
        rows.append(_row(line, f"{name}:{number}", rows[-1][2] if rows else 0))
    if not rows:
        raise InvalidInput(name, "no message", "at least one line src,dst,unixtime")
    src, dst, time_s = np.array(rows, dtype=np.int64).T
    return Trace(src.copy(), dst.copy(), time_s.copy())


def _row(line: str, place: str, earliest_s: int) -> tuple[int, int, int]:
    match = _LINE.match(line.replace(" ", ""))
    if match is None:
        raise InvalidInput(place, line[:80], "three whole numbers src,dst,unixtime")
    src, dst, time_s = int(match[1]), int(match[2]), int(match[3])
    if src == dst:
        raise InvalidInput(place, line, "different sender and recipient")
    if time_s < earliest_s:
        raise InvalidInput(place, time_s, f"{earliest_s} or later", "Sort the file by time.")
    return src, dst, time_s


def statistics(trace: Trace) -> TraceStatistics:
    """Count what identifies a trace. An empty trace gives zeros."""
    ties = set(zip(trace.src.tolist(), trace.dst.tolist(), strict=True))
    mutual = sum((dst, src) in ties for src, dst in ties)
    return TraceStatistics(
        messages=len(trace),
        people=len(trace.people()),
        senders=len(np.unique(trace.src)),
        ties=len(ties),
        undirected_ties=len(ties) - mutual // 2,
        reciprocity=mutual / len(ties) if ties else 0.0,
        span_s=int(trace.time_s[-1] - trace.time_s[0]) if len(trace) else 0,
    )
