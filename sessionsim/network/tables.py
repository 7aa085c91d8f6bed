"""Reading the small CSV tables of the package, and a person's own in the same form.

A table that is missing, cut off or malformed is refused with its file and line. The shipped tables are
also held against their recorded SHA-256, since a file cut between two lines looks whole by itself.
What the columns mean and where the numbers come from: `data/LICENCES.md`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sessionsim.core.errors import InvalidInput

DATA: Final = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class TableForm:
    """What a table must look like.

    Args:
        name: file name of the shipped copy.
        header: its first line.
        sha256: hex digest of the shipped copy with plain line ends.
    """

    name: str
    header: str
    sha256: str


def read_table(form: TableForm, path: Path | None = None) -> tuple[str, list[list[str]]]:
    """Read a table and check its form.

    Args:
        form: what is expected.
        path: a person's own file; None for the shipped one, whose digest is checked.

    Returns:
        The file's name for messages, and the fields of each line after the header. Item i stands in
        line i + 2 of the file.

    Raises:
        InvalidInput: the file is missing, not text, has another header, a line with too few or too many
            fields, no end to its last line, or is not the shipped file it should be.
    """
    file = path if path is not None else DATA / form.name
    try:
        text = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except OSError as wrong:
        hint = "Install the package again." if path is None else "Check the path."
        raise InvalidInput(str(file), wrong.strerror or "nothing", "a readable file", hint) from wrong
    except UnicodeDecodeError as wrong:
        raise InvalidInput(str(file), f"byte {wrong.start} is not UTF-8", "a CSV text in UTF-8") from wrong
    lines = text.split("\n")
    if lines[0] != form.header:
        raise InvalidInput(f"{file}:1", lines[0][:120], f"the header {form.header}")
    if lines[-1]:
        raise InvalidInput(
            f"{file}:{len(lines)}", lines[-1][:120], "a whole last line", "The file is cut off."
        )
    columns = form.header.count(",") + 1
    rows = [line.split(",") for line in lines[1:-1]]
    for number, row in enumerate(rows, 2):
        if len(row) != columns:
            raise InvalidInput(
                f"{file}:{number}", lines[number - 1][:120], f"{columns} fields: {form.header}"
            )
    digest = hashlib.sha256(text.encode()).hexdigest()
    if path is None and digest != form.sha256:
        found = f"{len(lines) - 1} lines with SHA-256 {digest}"
        raise InvalidInput(
            str(file), found, f"the shipped file, SHA-256 {form.sha256}", "Install the package again."
        )
    return str(file), rows
