"""A table that is missing, cut off or malformed is refused with its file and line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.network import tables
from sessionsim.network.tables import TableForm, read_table

TEXT = "a,b\n1,2\n3,4\n"
FORM = TableForm("small.csv", "a,b", hashlib.sha256(TEXT.encode()).hexdigest())


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "small.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n")])
def test_rows_are_the_fields_of_the_lines_after_the_header(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    assert read_table(FORM, file) == (str(file), [["1", "2"], ["3", "4"]])


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a,c\n1,2\n", "small.csv:1", "the header a,b"),
        ("", "small.csv:1", "the header a,b"),
        ("a,b\n1,2\n3\n", "small.csv:3", "2 fields"),
        ("a,b\n1,2,3\n", "small.csv:2", "2 fields"),
        ("a,b\n1,2\n3,4", "small.csv:3", "cut off"),
        (b"a,b\n1,\xff\n", "small.csv", "UTF-8"),
    ],
)
def test_malformed_table_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, place: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_table(FORM, written(tmp_path, text))
    assert caught.value.place.endswith(place)
    assert words in str(caught.value)


def test_missing_table_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.csv.*Check the path"):
        read_table(FORM, tmp_path / "nowhere.csv")


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n")])
def test_shipped_table_passes_whatever_its_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    written(tmp_path, text)
    monkeypatch.setattr(tables, "DATA", tmp_path)
    assert read_table(FORM)[1] == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a,b\n1,2\n3,5\n"])
def test_shipped_table_that_looks_whole_but_is_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    written(tmp_path, text)
    monkeypatch.setattr(tables, "DATA", tmp_path)
    with pytest.raises(InvalidInput, match="Install the package again"):
        read_table(FORM)
    assert read_table(FORM, tmp_path / "small.csv")[1]  # as a person's own file it would be accepted


def test_shipped_table_that_is_missing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "DATA", tmp_path)
    with pytest.raises(InvalidInput, match="Install the package again"):
        read_table(FORM)
