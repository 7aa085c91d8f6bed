from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Catalogue, read_scenario, resolve, to_toml

THREE_LINES = """
[interference.rhythm]
kind = "hold"
vantage = "nodes"
"""


def with_it(path: Path, text: str = THREE_LINES) -> Path:
    path.write_text(path.read_text() + text)
    return path


def test_three_lines_are_enough(good: Path, catalogue: Catalogue) -> None:
    scenario = resolve(read_scenario(with_it(good)), catalogue)
    (one,) = scenario.interference
    assert (one.name, one.kind, one.vantage, one.config.hold_us) == ("rhythm", "hold", "nodes", 7)
    assert scenario.resolved["interference"]["rhythm"] == {"kind": "hold", "hold": "7 us", "vantage": "nodes"}


def test_without_any_the_resolved_scenario_does_not_speak_of_it(good: Path, catalogue: Catalogue) -> None:
    scenario = resolve(read_scenario(good), catalogue)
    assert scenario.interference == ()
    assert "interference" not in scenario.resolved


def test_what_is_resolved_resolves_to_the_same(good: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    first = resolve(read_scenario(with_it(good, THREE_LINES + 'hold = "9 ms"\n')), catalogue)
    again = tmp_path / "again.toml"
    again.write_text(to_toml(first.resolved))
    assert resolve(read_scenario(again), catalogue).interference == first.interference


@pytest.mark.parametrize(
    ("old", "new", "place", "allowed"),
    [
        ('vantage = "nodes"', 'vantage = "everybody"', "interference.rhythm.vantage", "nodes, all"),
        ('vantage = "nodes"', "", "interference.rhythm", "vantage"),
        ('kind = "hold"', 'kind = "hald"', "interference.rhythm", "hold"),
        ('vantage = "nodes"', 'vantage = "nodes"\nhold = "0 s"', "interference.rhythm.hold", "1 us or more"),
        ("[interference.rhythm]", "[interference.Rhythm]", "interference", "letters a-z"),
    ],
)
def test_what_is_wrong_is_named(
    good: Path, catalogue: Catalogue, old: str, new: str, place: str, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        resolve(read_scenario(with_it(good, THREE_LINES.replace(old, new))), catalogue)
    assert place in wrong.value.place
    assert allowed in str(wrong.value)
