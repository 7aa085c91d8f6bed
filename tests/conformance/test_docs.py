"""Tables in the documentation say what the code says."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from sessionsim.network.faults import KINDS
from sessionsim.network.faults.kinds import Struck
from sessionsim.network.interference.kinds import KINDS as INTERFERENCE
from sessionsim.network.interference.kinds import Timed
from sessionsim.scenario.models import keys_of
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


@pytest.mark.parametrize(
    ("page", "kinds", "shared"),
    [("nodes-and-faults.md", KINDS, Struck), ("interference.md", INTERFERENCE, Timed)],
)
def test_every_kind_has_its_row(page: str, kinds: dict[str, type[Any]], shared: type[Any]) -> None:
    common, rows = set(keys_of(shared).values()), []
    for name, config in sorted(kinds.items()):
        own = [f"`{key}`" for key in keys_of(config).values() if key not in common]
        sentence = " ".join((config.__doc__ or "").split()).partition(".")[0]
        rows.append(f"| `{name}` | {sentence}. | {', '.join(own) or 'none'} |")
    lines = (DOCS / page).read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == rows
