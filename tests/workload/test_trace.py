import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.workload.trace import TraceStatistics, load, statistics

SMALL = "src,dst,unixtime\n7,3,100\n3,7,160\n7,9,160\n7,3,500\n"


def _written(folder: Path, content: str, name: str = "talk.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_small_file_is_read_and_counted_by_hand(tmp_path: Path) -> None:
    trace = load(_written(tmp_path, SMALL))
    assert trace.people() == [7, 3, 9]
    # Ties 7>3, 3>7, 7>9; two of three have their reverse; two pairs.
    assert statistics(trace) == TraceStatistics(4, 3, 2, 3, 2, 2 / 3, 400)


def test_header_is_optional_and_blanks_around_numbers_are_allowed(tmp_path: Path) -> None:
    bare = load(_written(tmp_path, SMALL.partition("\n")[2].replace(",", ", ")))
    assert bare.time_s.tolist() == load(_written(tmp_path, SMALL)).time_s.tolist() == [100, 160, 160, 500]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2", "three whole numbers"),
        ("1,2,3,4", "three whole numbers"),
        ("", "three whole numbers"),
        ("a,2,600", "three whole numbers"),
        ("1,2,600.5", "three whole numbers"),
        ("-1,2,600", "three whole numbers"),
        ("1,2,9999999999999999999", "three whole numbers"),
        ("4,4,600", "different sender and recipient"),
        ("1,2,499", "500 or later"),
    ],
)
def test_wrong_line_is_refused_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=rf"talk\.csv:6: .*{reason}"):
        load(_written(tmp_path, SMALL + line + "\n"))


@pytest.mark.parametrize("content", ["", "src,dst,unixtime\n"])
def test_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidInput, match=r"talk\.csv: .*at least one line"):
        load(_written(tmp_path, content))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        load(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="readable text file"):
        load(tmp_path)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(content=st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "talk.csv"
    path.write_bytes(content)
    with contextlib.suppress(InvalidInput):
        assert len(load(path)) > 0


def test_statistics_of_nothing_are_zero(tmp_path: Path) -> None:
    trace = load(_written(tmp_path, SMALL))
    empty = type(trace)(trace.src[:0], trace.dst[:0], trace.time_s[:0])
    assert statistics(empty) == TraceStatistics(0, 0, 0, 0, 0, 0.0, 0)
