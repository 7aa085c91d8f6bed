from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Catalogue, read_scenario, resolve, to_toml


def edited(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_an_attack_has_a_kind_a_vantage_and_settings(good: Path, catalogue: Catalogue) -> None:
    scenario = resolve(read_scenario(good), catalogue)
    (one,) = scenario.attacks
    assert (one.name, one.kind, one.vantage, one.config.keep) == ("try", "guessing", "all", 3)
    assert scenario.training == (201, 202)
    assert scenario.sections["background"].population == 0
    lines = {(line["section"], line["key"]): line for line in scenario.settings}
    assert lines["attacks.try", "keep"]["changed"]


def test_what_is_resolved_resolves_to_the_same(good: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    first = resolve(read_scenario(good), catalogue)
    again = tmp_path / "again.toml"
    again.write_text(to_toml(first.resolved))
    second = resolve(read_scenario(again), catalogue)
    assert (second.attacks, second.training) == (first.attacks, first.training)


@pytest.mark.parametrize(
    ("old", "new", "place", "allowed"),
    [
        ('vantage = "all"', 'vantage = "everybody"', "attacks.try.vantage", "nodes, all"),
        ('kind = "guessing"', 'kind = "gessing"', "attacks.try", "guessing"),
        ("keep = 3", "keep = 0", "attacks.try.keep", "1 or more"),
        ('vantage = "all"', "", "attacks.try", "vantage"),
        ('seeds = "201..202"', 'seeds = "3..5"', "seeds", "training"),
        ('seeds = "201..202"', 'seeds = "101"', "seeds", "training"),
        ("[attacks.try]", "[attacks.Try_1]", "attacks", "letters a-z"),
    ],
)
def test_what_is_wrong_is_named(
    good: Path, catalogue: Catalogue, old: str, new: str, place: str, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        resolve(read_scenario(edited(good, old, new)), catalogue)
    assert place in wrong.value.place
    assert allowed in str(wrong.value)


def test_no_attacks_is_the_default(good: Path, catalogue: Catalogue) -> None:
    text = good.read_text()
    good.write_text(text[: text.index("[attacks.try]")])
    scenario = resolve(read_scenario(good), catalogue)
    assert (scenario.attacks, scenario.training) == ((), ())
