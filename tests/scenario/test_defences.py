"""The section of defences: what is named is in force, with its settings; nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Scenario, read_scenario, resolve
from tests.scenario.conftest import CATALOGUE, GOOD


@pytest.fixture
def with_section(tmp_path: Path) -> Callable[[str], Scenario]:
    def make(text: str) -> Scenario:
        path = tmp_path / "defended.toml"
        path.write_text(GOOD + text)
        return resolve(read_scenario(path), CATALOGUE)

    return make


def test_without_a_section_nothing_is_in_force(with_section: Callable[[str], Scenario]) -> None:
    assert with_section("").defences == ()


def test_a_section_puts_a_defence_in_force(with_section: Callable[[str], Scenario]) -> None:
    found = with_section("\n[defences.one-size]\nkeep = 7\n\n[defences.no-cover]\n")
    assert [(one.kind, getattr(one.config, "keep", None)) for one in found.defences] == [
        ("no-cover", None),
        ("one-size", 7),
    ]
    assert found.resolved["defences"]["one-size"] == {"keep": 7}
    assert any(line["section"] == "defences.one-size" and line["changed"] for line in found.settings)


def test_an_unknown_defence_is_named(with_section: Callable[[str], Scenario]) -> None:
    with pytest.raises(InvalidInput, match="one-siez"):
        with_section("\n[defences.one-siez]\n")
