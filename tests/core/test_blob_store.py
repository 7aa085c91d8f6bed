"""Byte strings of a stored run, looked up without holding them all."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from sessionsim.core.blob_store import Only, StoredBlobs, strings
from sessionsim.core.errors import StorageDamaged
from sessionsim.core.storage import RecordWriter, open_groups, read_blobs, read_records, record_groups
from tests.core.test_storage import feed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of twelve row groups of strings: 48 MB in pieces of half a megabyte."""
    writer, draw = RecordWriter(tmp_path), random.Random(3)
    for _ in range(96):
        writer.keep(draw.randbytes(500_000))
    writer.keep(b"")
    writer.close()
    return tmp_path


def test_every_string_is_found_in_any_order(folder: Path) -> None:
    stored, whole = StoredBlobs(folder, most_groups=2), read_blobs(folder)
    assert len(stored) == len(whole) == 97
    order = [*range(97), *reversed(range(97)), *random.Random(1).choices(range(97), k=60)]
    assert all(stored[number] == whole[number] for number in order)
    assert list(stored) == list(whole)
    assert stored[96] == b""


def test_few_groups_stay_in_memory(folder: Path) -> None:
    stored = StoredBlobs(folder, most_groups=2)
    for number in range(97):
        stored[number]
        assert len(stored._held) <= 2


@pytest.mark.parametrize("number", [-1, 97, 1 << 40])
def test_a_number_that_is_not_there_is_none(folder: Path, number: int) -> None:
    stored = StoredBlobs(folder)
    assert number not in stored
    assert stored.get(number) is None
    with pytest.raises(KeyError):
        stored[number]


def test_a_damaged_file_is_told(folder: Path, tmp_path: Path) -> None:
    path = folder / "records/blobs.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StorageDamaged, match="cannot be read"):
        StoredBlobs(folder)
    with pytest.raises(StorageDamaged, match="missing"):
        StoredBlobs(tmp_path / "nowhere")
    with pytest.raises(StorageDamaged, match="lacks"):
        open_groups(folder / "records/transmissions.parquet", ("colour",))


def test_only_shows_what_it_is_bounded_to() -> None:
    blobs = {k: b"%d" % k for k in range(10)}
    some = Only(blobs, np.array([7, 2, 2, -1, 12]))
    assert dict(some) == {2: b"2", 7: b"7"}
    assert (len(some), 3 in some, 12 in some, "7" in some) == (2, False, False, False)
    for number in (3, 12, -1, 1 << 40):
        assert some.get(number) is None
    assert dict(Only(blobs, np.array([], np.int64))) == {}


def test_records_come_group_by_group_with_their_numbers(tmp_path: Path) -> None:
    feed(RecordWriter(tmp_path), 150, spill_every=50)
    groups, whole = list(record_groups(tmp_path)), read_records(tmp_path)
    assert [len(group["src"]) for group in groups] == [1, 50, 50, 49]
    assert np.concatenate([group["row"] for group in groups]).tolist() == list(range(150))
    for name, values in whole.items():
        assert np.array_equal(values, np.concatenate([group[name] for group in groups]))


def test_many_strings_are_looked_up_as_one_by_one(folder: Path) -> None:
    stored, whole = StoredBlobs(folder, most_groups=2), read_blobs(folder)
    numbers = [3, 4, 4, 96, 97, -1, 0, 50, *random.Random(2).choices(range(97), k=30)]
    expected = [whole.get(number) for number in numbers]
    some = Only(stored, np.array([4, 50, 3]))
    assert list(strings(stored, numbers)) == list(strings(whole, numbers)) == expected
    assert list(strings(some, [3, 50, 4])) == [whole[3], whole[50], whole[4]]
    assert list(strings(some, numbers)) == [whole[one] if one in (3, 4, 50) else None for one in numbers]
    assert list(strings(Only(whole, np.array([7])), [7, 8])) == [whole[7], None]
