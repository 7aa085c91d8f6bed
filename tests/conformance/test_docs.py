"""Tables in the documentation say what the code says."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from sessionsim.selfcheck.vectors import sections

DOCS = Path(__file__).parents[2] / "docs"


def row(name: str) -> str:
    section = sections()[name]
    covers = ", ".join(f"`{dotted}`" for dotted in section.covers)
    return f"| `{name}` | {section.direction} | {covers} |"


def test_every_section_of_known_answers_has_its_row() -> None:
    lines = (DOCS / "known-answers.md").read_text("utf-8").splitlines()
    table = [line for line in lines if line.startswith("| `")]
    assert table == [row(name) for name in sections()]


@pytest.mark.parametrize("name", sections())
def test_what_a_section_covers_exists(name: str) -> None:
    for dotted in sections()[name].covers:
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            try:
                found: object = importlib.import_module(".".join(("sessionsim", *parts[:cut])))
            except ModuleNotFoundError:
                continue
            for attribute in parts[cut:]:
                found = getattr(found, attribute)
            break
        else:
            pytest.fail(f"{dotted} is nowhere")
