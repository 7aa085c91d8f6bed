from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sessionsim.core.columns import DTYPE, ROW, Cause, note_of
from sessionsim.core.errors import StorageDamaged
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.records import MemoryRecords, RecordSink
from sessionsim.core.storage import (
    RecordWriter,
    read_blobs,
    read_ledger,
    read_records,
    read_table,
    read_text,
    read_truth,
    write_ledger,
    write_table,
    write_truth,
)
from sessionsim.core.truth import (
    ACCOUNT_COLUMNS,
    DELIVERY_COLUMNS,
    DEVICE_COLUMNS,
    EVENT_COLUMNS,
    KEY_COLUMNS,
    MESSAGE_COLUMNS,
    Truth,
)


def feed(sink: RecordSink, n: int, spill_every: int = 100) -> None:
    """Write n rows of which every fifth repeats a byte string."""
    for i in range(n):
        blob = sink.keep(b"string %d" % (i - i % 5)) if i % 3 == 0 else -1
        note = note_of(Cause.POLL if i % 2 else Cause.MESSAGE, -1 if i % 2 else i)
        sink.buffer += ROW.pack(
            1000 * i, 1000 * i + 7, i, note, i % 9, 1, i % 4, 100, 130, blob, 1, 200, 0, 1
        )
        if i % spill_every == 0:
            sink.spill()
    sink.close()


def some_truth() -> Truth:
    text = np.array(["a", "b"], dtype=object)
    columns = (
        ACCOUNT_COLUMNS, DEVICE_COLUMNS, MESSAGE_COLUMNS, DELIVERY_COLUMNS, KEY_COLUMNS, EVENT_COLUMNS,
    )  # fmt: skip
    accounts, devices, messages, deliveries, keys, events = (
        {name: text for name in names} for names in columns
    )
    messages = messages | {"measured": np.array([True, False]), "stored_us": np.array([5, -1])}
    return Truth(accounts, devices, messages, deliveries, {}, keys, 10, 20, events)


def test_disk_gives_back_what_memory_holds(tmp_path: Path) -> None:
    writer, memory = RecordWriter(tmp_path), MemoryRecords()
    feed(writer, 1234)
    feed(memory, 1234, spill_every=7)
    stored, held = read_records(tmp_path), memory.table()
    assert set(stored) == set(DTYPE.names or ()) - {"note"}
    for name, column in stored.items():
        assert column.dtype == held[name].dtype
        assert np.array_equal(column, held[name])
    assert read_blobs(tmp_path) == memory.blobs
    notes = read_table(tmp_path / "truth/transmissions.parquet")
    assert notes["row"].tolist() == list(range(1234))
    assert notes["cause"][:2].tolist() == [Cause.MESSAGE, Cause.POLL]
    assert notes["ref"][:3].tolist() == [0, -1, 2]


def test_equal_rows_give_equal_files_however_often_they_are_spilled_to_memory(tmp_path: Path) -> None:
    for name in ("a", "b"):
        writer = RecordWriter(tmp_path / name)
        feed(writer, 500)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.parquet"))
    assert len(files) == 3
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_byte_strings_are_numbered_by_first_appearance() -> None:
    sink = MemoryRecords()
    assert [sink.keep(b) for b in (b"z", b"a", b"z", b"", b"a")] == [0, 1, 0, 2, 1]
    assert sink.blobs == {0: b"z", 1: b"a", 2: b""}


def test_writer_keeps_neither_rows_nor_strings_in_memory(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path)
    for i in range(3000):
        writer.keep(bytes(3000) + i.to_bytes(4, "little"))
    assert writer._pending_bytes < 4_100_000
    writer.buffer += bytes(ROW.size * 10)
    writer.spill()
    assert not writer.buffer
    writer.close()
    assert len(read_blobs(tmp_path)) == 3000


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_a_cut_off_file_is_damaged(tmp_path: Path, share: float) -> None:
    feed(RecordWriter(tmp_path), 200)
    path = tmp_path / "records/transmissions.parquet"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(StorageDamaged, match="transmissions"):
        read_records(tmp_path)


def test_a_run_that_was_never_closed_is_damaged(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path)
    writer.buffer += bytes(ROW.size)
    writer.spill()
    with pytest.raises(StorageDamaged):
        read_records(tmp_path)


def test_a_missing_file_or_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageDamaged, match=r"gone\.parquet is missing"):
        read_table(tmp_path / "gone.parquet")
    write_table(tmp_path / "t.parquet", {"a_us": np.arange(3)})
    with pytest.raises(StorageDamaged, match="'b'"):
        read_table(tmp_path / "t.parquet", ("a_us", "b"))


def test_truth_comes_back_whole(tmp_path: Path) -> None:
    feed(RecordWriter(tmp_path), 10)
    write_truth(tmp_path, some_truth())
    truth = read_truth(tmp_path)
    assert (truth.start_us, truth.end_us) == (10, 20)
    assert truth.messages["measured"].tolist() == [True, False]
    assert truth.messages["hash"].tolist() == ["a", "b"]
    assert truth.messages["stored_us"].tolist() == [5, -1]
    assert truth.events["what"].tolist() == ["a", "b"]
    assert len(truth.transmissions["row"]) == 10


def test_ledger_comes_back_with_derivations(tmp_path: Path) -> None:
    facts = [
        Fact("isp", Relation.ONLINE, "addr:244.0.0.1", "", 5, ("row 1", "signature")),
        Fact("isp", Relation.ACTS_FOR, "addr:244.0.0.1", "account:05ab", 6, ()),
    ]
    write_ledger(tmp_path / "ledger.parquet", facts)
    assert read_ledger(tmp_path / "ledger.parquet") == facts
    write_ledger(tmp_path / "none.parquet", [])
    assert read_ledger(tmp_path / "none.parquet") == []


def test_units_and_texts_stand_in_the_metadata(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "t.parquet"
    write_table(path, {"delay_us": np.arange(2), "name": np.array(["x", "y"], dtype=object)}, {"k": "v"})
    schema = pq.read_schema(path)
    assert schema.field("delay_us").metadata[b"unit"] == b"us"
    assert schema.field("name").metadata[b"unit"] == b""
    assert read_text(path, "k") == "v"
    with pytest.raises(StorageDamaged):
        read_text(path, "other")


def test_whole_numbers_keep_their_kind_without_what_tables_of_reports_need(tmp_path: Path) -> None:
    table = {"a": np.arange(5, dtype=np.int32), "b_us": np.arange(5) - 2, "c": np.array([0.5] * 5)}
    write_table(tmp_path / "table.parquet", table)
    write_table(tmp_path / "empty.parquet", {name: values[:0] for name, values in table.items()})
    for file, n in (("table", 5), ("empty", 0)):
        for name, values in read_table(tmp_path / f"{file}.parquet").items():
            assert values.dtype == table[name].dtype
            assert values.tolist() == table[name][:n].tolist()
    code = (
        "import sys; from pathlib import Path; from sessionsim.core.storage import read_table;"
        f"read_table(Path({str(tmp_path / 'table.parquet')!r}), ['a', 'b_us']);"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
