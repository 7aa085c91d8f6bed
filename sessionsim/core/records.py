"""Where the host puts the transmissions it carries: the interface, and a sink in memory.

The host extends `buffer` with rows packed by `core.columns.ROW` and calls `spill` once it holds
`SPILL_BYTES` or more. A sink that stores on disk is `core.storage.RecordWriter`. Byte strings are
numbered by first appearance, never by digest, so chance that a library keeps to itself can't show here.
"""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

import numpy as np

from sessionsim.core.columns import DTYPE, ROW
from sessionsim.core.view import Table

# About 65,000 rows, one Parquet row group. Assumption: compresses well, and is small beside the program.
SPILL_BYTES: Final = ROW.size * 65_536


class RecordSink(Protocol):
    """Takes rows and byte strings of one run, in the order in which they happen."""

    buffer: bytearray

    def spill(self) -> None:
        """Take over the rows in `buffer` and empty it. Called by the host at SPILL_BYTES or more."""

    def keep(self, payload: bytes) -> int:
        """Keep a byte string. Returns its number; equal strings have one number."""

    def close(self) -> None:
        """Take the last rows and finish. Nothing may be added after it."""


class BlobIndex:
    """Numbers of byte strings by first appearance; about 120 bytes of memory per distinct string."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def number(self, payload: bytes) -> tuple[int, bool]:
        """Give the number of a string, and whether it is new."""
        digest = hashlib.blake2b(payload, digest_size=16).digest()
        size = len(self._numbers)
        number = self._numbers.setdefault(digest, size)
        return number, number == size


class MemoryRecords:
    """A sink for tests and short samples: everything stays in memory."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.blobs: dict[int, bytes] = {}
        self._index = BlobIndex()
        self._groups: list[np.ndarray] = []

    def spill(self) -> None:
        if self.buffer:
            self._groups.append(np.frombuffer(bytes(self.buffer), DTYPE))
            self.buffer.clear()

    def keep(self, payload: bytes) -> int:
        number, new = self._index.number(payload)
        if new:
            self.blobs[number] = payload
        return number

    def close(self) -> None:
        self.spill()

    def table(self) -> Table:
        """Give all rows so far as columns, `note` included; the position is the row number."""
        self.spill()
        rows = np.concatenate(self._groups) if self._groups else np.empty(0, DTYPE)
        return {str(name): np.ascontiguousarray(rows[name]) for name in DTYPE.names or ()}
