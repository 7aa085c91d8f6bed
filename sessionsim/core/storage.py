"""Stored runs: Parquet tables written reproducibly, and their loaders. The only place that knows pyarrow.

A replicate's folder holds `records/transmissions.parquet` (columns of `core.columns` without the note,
the position is the row number), `records/blobs.parquet` (kept byte strings, the position is the number),
`truth/*.parquet` (see `core.truth`; the note, split, is `truth/transmissions.parquet`) and
`ledger.parquet`. Equal content gives equal bytes: no dates, one thread, fixed row groups. Every column
carries its unit in the field's metadata. What cannot be read whole is `StorageDamaged`, never half a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sessionsim.core.columns import DTYPE, split_note
from sessionsim.core.errors import StorageDamaged
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.records import SPILL_BYTES, BlobIndex, MemoryRecords, RecordSink
from sessionsim.core.truth import (
    ACCOUNT_COLUMNS,
    DELIVERY_COLUMNS,
    DEVICE_COLUMNS,
    EVENT_COLUMNS,
    KEY_COLUMNS,
    MESSAGE_COLUMNS,
    NAME_COLUMNS,
    TRANSMISSION_COLUMNS,
    Truth,
)
from sessionsim.core.view import Table

__all__ = [
    "SPILL_BYTES", "Groups", "MemoryRecords", "RecordSink", "RecordWriter", "open_groups", "read_blobs",
    "read_ledger", "read_records", "read_table", "read_text", "read_truth", "record_groups", "unit_of",
    "write_ledger", "write_table", "write_truth",
]  # fmt: skip

RECORD_COLUMNS: Final = tuple(name for name in DTYPE.names or () if name != "note")
_BLOB_GROUP_BYTES: Final = 4_000_000  # Assumption: bytes of strings held before they go to disk
_TIMES: Final = ("t_sent_us", "t_recv_us", "exchange", "row", "ref")  # nearly sorted: differences are small
_UNIT_SUFFIXES: Final = ("us", "ms", "bytes", "prob", "bit_per_s")


def unit_of(column: str) -> str:
    """Give the unit that a column's name ends in; empty for counts, numbers and text."""
    return next((unit for unit in _UNIT_SUFFIXES if column.endswith(f"_{unit}")), "")


def _schema(fields: Sequence[tuple[str, pa.DataType]], facts: Mapping[str, str]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, nullable=False, metadata={"unit": unit_of(name)}) for name, kind in fields],
        metadata={"format": "sessionsim 1", **facts},
    )


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    delta = [name for name in schema.names if name in _TIMES]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in schema.names if name not in _TIMES and name != "payload"],
        column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED") or None,
        write_statistics=False,
        store_schema=True,
    )


class RecordWriter:
    """A record sink that stores a replicate's rows and byte strings as they come.

    Args:
        folder: the replicate's folder; `records/` and `truth/` are made in it.

    Memory stays bounded in rows; kept strings cost about 120 bytes each for recognising repetitions.
    """

    def __init__(self, folder: Path) -> None:
        self.buffer = bytearray()
        self.rows = 0
        self.kept_bytes = 0
        self._index = BlobIndex()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        columns = [(name, pa.from_numpy_dtype(DTYPE[name])) for name in RECORD_COLUMNS]
        self._records = _writer(folder / "records/transmissions.parquet", _schema(columns, {}))
        notes = [("row", pa.int64()), ("cause", pa.uint8()), ("ref", pa.int64())]
        self._notes = _writer(folder / "truth/transmissions.parquet", _schema(notes, {}))
        self._blobs = _writer(folder / "records/blobs.parquet", _schema([("payload", pa.binary())], {}))

    def spill(self) -> None:
        """Write the buffered rows as one row group and empty the buffer."""
        if not self.buffer:
            return
        rows = np.frombuffer(bytes(self.buffer), DTYPE)
        self.buffer.clear()
        columns = [pa.array(np.ascontiguousarray(rows[name])) for name in RECORD_COLUMNS]
        self._records.write_table(pa.Table.from_arrays(columns, schema=self._records.schema))
        cause, ref = split_note(rows["note"])
        numbers = np.arange(self.rows, self.rows + len(rows), dtype=np.int64)
        notes = [pa.array(numbers), pa.array(cause), pa.array(ref)]
        self._notes.write_table(pa.Table.from_arrays(notes, schema=self._notes.schema))
        self.rows += len(rows)

    def keep(self, payload: bytes) -> int:
        """Keep a byte string. Returns its number, by first appearance; equal strings share it."""
        number, new = self._index.number(payload)
        if new:
            self._pending.append(bytes(payload))
            self._pending_bytes += len(payload)
            self.kept_bytes += len(payload)
            if self._pending_bytes >= _BLOB_GROUP_BYTES:
                self._spill_blobs()
        return number

    def _spill_blobs(self) -> None:
        if self._pending:
            payloads = pa.array(self._pending, pa.binary())
            self._blobs.write_table(pa.Table.from_arrays([payloads], schema=self._blobs.schema))
            self._pending, self._pending_bytes = [], 0

    def close(self) -> None:
        """Write what is left and the footers. Files without this are damaged, and are read as such."""
        self.spill()
        self._spill_blobs()
        for writer in (self._records, self._notes, self._blobs):
            writer.close()


def _column(values: np.ndarray) -> pa.Array:
    if values.dtype.kind in "OUS":
        return pa.array([str(value) for value in values], pa.string())
    return pa.array(np.ascontiguousarray(values))


def write_table(path: Path, table: Mapping[str, Any], facts: Mapping[str, str] | None = None) -> None:
    """Write equally long columns (numpy arrays; text as object arrays) to one Parquet file.

    Args:
        path: the file; its folder is made.
        table: columns by name; the unit is taken from the name (`_us`, `_bytes` …).
        facts: texts kept in the file's metadata, read back by `read_text`.
    """
    arrays = {name: _column(np.asarray(values)) for name, values in table.items()}
    schema = _schema([(name, array.type) for name, array in arrays.items()], facts or {})
    with _writer(path, schema) as writer:
        writer.write_table(pa.Table.from_arrays(list(arrays.values()), schema=schema))


def _open(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read(use_threads=False)
    except FileNotFoundError as missing:
        raise StorageDamaged(f"{path} is missing") from missing
    except (pa.ArrowException, OSError) as broken:
        raise StorageDamaged(f"{path} cannot be read: cut off, or not a table of sessionsim") from broken


def read_table(path: Path, columns: Sequence[str] | None = None) -> Table:
    """Read one Parquet file into columns; text becomes object arrays.

    Args:
        path: the file.
        columns: names that must be there; None takes whatever there is.

    Raises:
        StorageDamaged: the file is missing, cut off, or lacks a column.
    """
    table = _open(path)
    lacking = [name for name in columns or () if name not in table.column_names]
    if lacking:
        raise StorageDamaged(f"{path} lacks the column {lacking[0]!r}")
    return {name: _values(table[name]) for name in columns or table.column_names}


def _values(column: pa.ChunkedArray) -> np.ndarray:
    """Give a column as an array; whole numbers as they lie there, without loading what else pyarrow needs."""
    array = column.combine_chunks()
    values: np.ndarray
    if not pa.types.is_integer(array.type) or not len(array) or array.null_count:
        values = column.to_numpy()
        return values
    end = array.offset + len(array)
    values = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype())
    return values[array.offset : end]


class Groups:
    """A Parquet file that is read group by group. Make it with `open_groups`. Args: columns: those read."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path, self._columns = path, list(columns)
        try:
            self._file = pq.ParquetFile(path)
        except FileNotFoundError as missing:
            raise StorageDamaged(f"{path} is missing") from missing
        except (pa.ArrowException, OSError) as broken:
            raise StorageDamaged(f"{path} cannot be read: cut off, or not a table of sessionsim") from broken
        lacking = [name for name in columns if name not in self._file.schema_arrow.names]
        if lacking:
            raise StorageDamaged(f"{path} lacks the column {lacking[0]!r}")
        metadata = self._file.metadata
        self.sizes = tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))

    def _read(self, group: int, columns: Sequence[str]) -> pa.Table:
        try:
            return self._file.read_row_group(group, columns=list(columns), use_threads=False)
        except (pa.ArrowException, OSError) as broken:
            raise StorageDamaged(f"{self._path} cannot be read: cut off, or not a table") from broken

    def table(self, group: int) -> Table:
        """Read one group into columns."""
        table = self._read(group, self._columns)
        return {name: _values(table[name]) for name in self._columns}

    def strings(self, group: int) -> tuple[list[int], bytes]:
        """Read the byte strings of one group: where each begins, and the end; and their bytes, joined."""
        array = self._read(group, self._columns[:1]).column(0).combine_chunks()
        array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
        _, offsets, joined = array.buffers()
        begins = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
        return begins.tolist(), b"" if joined is None else joined.to_pybytes()


def open_groups(path: Path, columns: Sequence[str]) -> Groups:
    """Open a Parquet file to be read group by group. Raises StorageDamaged as `read_table` does."""
    return Groups(path, columns)


def record_groups(folder: Path) -> Iterator[Table]:
    """Give a replicate's transmissions group by group, each with the column `row`; see `read_records`."""
    groups, before = open_groups(folder / "records/transmissions.parquet", RECORD_COLUMNS), 0
    for group, size in enumerate(groups.sizes):
        table = groups.table(group)
        table["row"] = np.arange(before, before + size, dtype=np.int64)
        before += size
        yield table


def read_text(path: Path, key: str) -> str:
    """Read one text of a file's metadata. Raises StorageDamaged if the file or the text is missing."""
    metadata = _open(path).schema.metadata or {}
    if key.encode() not in metadata:
        raise StorageDamaged(f"{path} lacks {key!r}")
    return str(metadata[key.encode()].decode())


def read_records(folder: Path) -> Table:
    """Read a replicate's transmissions: columns RECORD_COLUMNS, in row order, without truth."""
    return read_table(folder / "records/transmissions.parquet", RECORD_COLUMNS)


def read_blobs(folder: Path) -> dict[int, bytes]:
    """Read a replicate's kept byte strings by number; empty when none were kept."""
    payloads = _open(folder / "records/blobs.parquet")["payload"].to_pylist()
    return dict(enumerate(payloads))


def write_truth(folder: Path, truth: Truth) -> None:
    """Write a replicate's truth, except `transmissions`, which RecordWriter has written."""
    phase = {"start_us": str(truth.start_us), "end_us": str(truth.end_us)}
    write_table(folder / "truth/accounts.parquet", truth.accounts)
    write_table(folder / "truth/devices.parquet", truth.devices)
    write_table(folder / "truth/messages.parquet", truth.messages, phase)
    write_table(folder / "truth/deliveries.parquet", truth.deliveries)
    write_table(folder / "truth/keys.parquet", truth.keys)
    write_table(folder / "truth/events.parquet", truth.events)
    write_table(folder / "truth/names.parquet", truth.names)


def read_truth(folder: Path) -> Truth:
    """Read a replicate's truth. Raises StorageDamaged if any part of it is missing or cut off."""
    messages = folder / "truth/messages.parquet"
    return Truth(
        accounts=read_table(folder / "truth/accounts.parquet", ACCOUNT_COLUMNS),
        devices=read_table(folder / "truth/devices.parquet", DEVICE_COLUMNS),
        messages=read_table(messages, MESSAGE_COLUMNS),
        deliveries=read_table(folder / "truth/deliveries.parquet", DELIVERY_COLUMNS),
        transmissions=read_table(folder / "truth/transmissions.parquet", TRANSMISSION_COLUMNS),
        keys=read_table(folder / "truth/keys.parquet", KEY_COLUMNS),
        start_us=int(read_text(messages, "start_us")),
        end_us=int(read_text(messages, "end_us")),
        events=read_table(folder / "truth/events.parquet", EVENT_COLUMNS),
        names=read_table(folder / "truth/names.parquet", NAME_COLUMNS),
    )


_LEDGER_FIELDS: Final = (
    ("observer", pa.string()),
    ("relation", pa.string()),
    ("subject", pa.string()),
    ("object", pa.string()),
    ("t_us", pa.int64()),
    ("derivation", pa.list_(pa.string())),
)


def write_ledger(path: Path, facts: Sequence[Fact]) -> None:
    """Write facts with their derivations, in the order given."""
    columns = [
        pa.array([str(getattr(fact, name)) for fact in facts], kind) for name, kind in _LEDGER_FIELDS[:4]
    ]
    columns.append(pa.array([fact.t_us for fact in facts], pa.int64()))
    columns.append(pa.array([list(fact.derivation) for fact in facts], pa.list_(pa.string())))
    schema = _schema(_LEDGER_FIELDS, {})
    with _writer(path, schema) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def read_ledger(path: Path) -> list[Fact]:
    """Read facts in the order they were written. Raises StorageDamaged."""
    table = _open(path)
    columns = [table[name].to_pylist() for name, _ in _LEDGER_FIELDS]
    return [
        Fact(observer, Relation(relation), subject, term, t_us, tuple(derivation))
        for observer, relation, subject, term, t_us, derivation in zip(*columns, strict=True)
    ]
