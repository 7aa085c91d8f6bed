"""Byte strings of a stored run, looked up one by one: a few row groups are in memory, never all of them.

`StoredBlobs` reads the file that `core.storage.RecordWriter` wrote. Numbers are by first appearance, so who
goes through rows in time order reads each group once. `Only` bounds any such mapping to what one observer
saw, without copying.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.storage import open_groups

# Groups of 4 MB (`core.storage`) that are kept. Assumption: answers come back well within so many.
MOST_GROUPS: Final = 8


class StoredBlobs(Mapping[int, bytes]):
    """The kept byte strings of a replicate, by number.

    Args:
        folder: the replicate's; most_groups: so many row groups stay in memory.

    Raises:
        StorageDamaged: the file is missing or cut off.
    """

    def __init__(self, folder: Path, most_groups: int = MOST_GROUPS) -> None:
        self._groups = open_groups(folder / "records/blobs.parquet", ("payload",))
        self._ends = list(accumulate(self._groups.sizes))
        self._most = most_groups
        self._held: OrderedDict[int, tuple[int, list[int], bytes]] = OrderedDict()
        self._now: tuple[int, int, list[int], bytes] = (0, 0, [], b"")  # begin, end, …

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int | np.integer) and 0 <= int(number) < len(self)

    def __getitem__(self, number: int) -> bytes:
        begin, end, offsets, held = self._now
        if not begin <= number < end:
            if number not in self:
                raise KeyError(number)
            begin, end, offsets, held = self._now = self._turn_to(number)
        at = number - begin
        return held[offsets[at] : offsets[at + 1]]

    def strings(self, numbers: Iterable[int]) -> Iterator[bytes | None]:
        """Look up many, one after the other; None for each that is not there."""
        begin, end, offsets, held = self._now
        for number in numbers:
            if not begin <= number < end:
                if number not in self:
                    yield None
                    continue
                begin, end, offsets, held = self._now = self._turn_to(number)
            at = number - begin
            yield held[offsets[at] : offsets[at + 1]]

    def _turn_to(self, number: int) -> tuple[int, int, list[int], bytes]:
        group = bisect_right(self._ends, number)
        if group in self._held:
            self._held.move_to_end(group)
        else:
            begin = self._ends[group - 1] if group else 0
            self._held[group] = (begin, *self._groups.strings(group))
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        begin, offsets, held = self._held[group]
        return begin, self._ends[group], offsets, held


def strings(blobs: Mapping[int, bytes], numbers: npt.ArrayLike) -> Iterator[bytes | None]:
    """Look up many byte strings, one after the other; None for each that is not there."""
    wanted = np.asarray(numbers, np.int64)
    if isinstance(blobs, Only):
        return blobs.strings(wanted)
    if isinstance(blobs, StoredBlobs):
        return blobs.strings(wanted.tolist())
    return map(blobs.get, wanted.tolist())


class Only(Mapping[int, bytes]):
    """Some of the byte strings of a run. Args: blobs: all; numbers: those that are there, of any order."""

    def __init__(self, blobs: Mapping[int, bytes], numbers: npt.NDArray[Any]) -> None:
        top = int(numbers.max(initial=-1)) + 1
        self._blobs, self._allowed = blobs, bytearray(top)
        np.frombuffer(self._allowed, np.uint8)[numbers[numbers >= 0]] = 1

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int | np.integer):
            return False
        at = int(number)
        return 0 <= at < len(self._allowed) and bool(self._allowed[at]) and at in self._blobs

    def __getitem__(self, number: int) -> bytes:
        if 0 <= number < len(self._allowed) and self._allowed[number]:
            return self._blobs[number]
        raise KeyError(number)

    def strings(self, numbers: npt.NDArray[np.int64]) -> Iterator[bytes | None]:
        """Look up many, one after the other; None for each that is not there."""
        inside = numbers.min(initial=0) >= 0 and numbers.max(initial=-1) < len(self._allowed)
        if not inside or not np.frombuffer(self._allowed, np.uint8)[numbers].all():
            return map(self.get, numbers.tolist())
        return strings(self._blobs, numbers)

    def __iter__(self) -> Iterator[int]:
        chosen = np.flatnonzero(np.frombuffer(self._allowed, np.uint8)).tolist()
        return (number for number in chosen if number in self._blobs)

    def __len__(self) -> int:
        return sum(1 for _ in self)
