"""The `[sweep]` section: what it stands for, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Catalogue, Point, json_schema, points_of, read_scenario, resolve
from sessionsim.scenario.reading import with_values
from sessionsim.scenario.sweep import FOLLOWED

TWO_KEYS = '[sweep]\nkeys = ["platform.ios.poll_interval", "network.wire.beat_us"]\nvalues = ["3 s", "4 s"]\n'


def points(path: Path, catalogue: Catalogue, section: str, *overrides: str) -> tuple[Point, ...]:
    path.write_text(path.read_text() + section)
    raw = read_scenario(path, overrides)
    sweep = resolve(raw, catalogue).sweep
    assert sweep is not None
    return points_of(raw, sweep, catalogue)


def test_each_value_is_a_scenario_of_its_own_with_it_at_all_keys(good: Path, catalogue: Catalogue) -> None:
    plain = resolve(read_scenario(good), catalogue)
    found = points(good, catalogue, TWO_KEYS)
    assert [point.label for point in found] == ["3 s", "4 s"]
    for seconds, point in zip((3, 4), found, strict=True):
        assert point.scenario.sweep is None
        assert point.scenario.rules["ios"].poll_interval_us == seconds * 1_000_000
        assert point.scenario.sections["network.wire"].beat_us == seconds * 1_000_000
        # A section that the file has not is made, and what it says elsewhere stays.
        assert point.scenario.rules["ios"].namespaces == plain.rules["ios"].namespaces
        assert point.scenario.seeds == plain.seeds
        assert "sweep" not in point.scenario.resolved


def test_a_point_is_the_scenario_that_set_would_make(good: Path, catalogue: Catalogue) -> None:
    by_hand = resolve(read_scenario(good, ['platform.ios.poll_interval="4 s"']), catalogue)
    section = '[sweep]\nkeys = ["platform.ios.poll_interval"]\nvalues = ["3 s", "4 s"]\n'
    assert points(good, catalogue, section)[1].scenario == by_hand


def test_without_its_values_the_scenario_is_a_plain_one(good: Path, catalogue: Catalogue) -> None:
    plain = resolve(read_scenario(good), catalogue)
    good.write_text(good.read_text() + TWO_KEYS)
    swept = resolve(read_scenario(good), catalogue)
    assert plain.sweep is None
    assert swept.resolved == plain.resolved
    assert swept.sweep is not None
    assert swept.sweep.show == FOLLOWED


def test_values_are_overridden_like_any_other_key(good: Path, catalogue: Catalogue) -> None:
    found = points(good, catalogue, TWO_KEYS, 'sweep.values=["9 s"]')
    assert [point.label for point in found] == ["9 s"]


def test_numbers_and_truth_values_are_swept_too(good: Path, catalogue: Catalogue) -> None:
    section = '[sweep]\nkeys = ["platform.ios.growth"]\nvalues = [1, 2.5]\n'
    assert [point.scenario.rules["ios"].growth for point in points(good, catalogue, section)] == [1, 2.5]
    good.write_text(good.read_text().partition("[sweep]")[0])
    section = '[sweep]\nkeys = ["platform.ios.sync_copy"]\nvalues = [true, false]\n'
    assert [point.label for point in points(good, catalogue, section)] == ["true", "false"]


def test_lists_are_swept_too_and_an_empty_one_reads_as_none(good: Path, catalogue: Catalogue) -> None:
    section = '[sweep]\nkeys = ["servers.off"]\nvalues = [[], ["push", "file"]]\n'
    found = points(good, catalogue, section)
    assert [point.label for point in found] == ["none", "push, file"]
    assert [point.scenario.sections["servers"].off for point in found] == [(), ("push", "file")]


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ('keys = ["servers.off"]\nvalues = [[], []]', "sweep.values"),
        ('keys = ["servers.off"]\nvalues = [[1]]', "sweep.values"),
        ('keys = ["poll_interval"]\nvalues = [1]', "sweep.keys"),
        ('keys = ["sweep.values"]\nvalues = [1]', "sweep.keys"),
        ('keys = ["extends.x"]\nvalues = [1]', "sweep.keys"),
        ("keys = []\nvalues = [1]", "sweep.keys"),
        ('keys = ["run.duration"]\nvalues = []', "sweep.values"),
        ('keys = ["run.duration"]\nvalues = ["1 s", "1 s"]', "sweep.values"),
        ('keys = ["run.duration"]\nvalues = ["1 s"]\nshow = ["latency"]', "sweep.show"),
        ('keys = ["run.duration"]\nvalues = ["1 s"]\nvalue = 3', "sweep"),
        ('values = ["1 s"]', "sweep"),
        ('keys = ["title.text"]\nvalues = ["x"]', "sweep.keys"),
        # What only shows when a value is tried is told with the place of the values.
        ('keys = ["run.duration"]\nvalues = ["soon"]', "run.duration"),
        ('keys = ["run.durations"]\nvalues = ["1 s"]', "run.durations"),
        ('keys = ["clients.ios"]\nvalues = ["many"]', "clients.ios"),
    ],
)
def test_a_wrong_sweep_is_told_with_its_place(
    good: Path, catalogue: Catalogue, section: str, place: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        points(good, catalogue, f"[sweep]\n{section}\n")
    assert wrong.value.place.startswith("good.toml:")
    assert place in wrong.value.place


def test_the_schema_knows_the_section(catalogue: Catalogue) -> None:
    assert "sweep" in json_schema(catalogue)["properties"]


def test_setting_values_leaves_the_given_tables_as_they_were() -> None:
    given = {"a": {"b": {"c": 1}}, "d": 2}
    made = with_values(given, {("a", "b", "c"): 5, ("e", "f"): 6})
    assert made == {"a": {"b": {"c": 5}}, "d": 2, "e": {"f": 6}}
    assert given == {"a": {"b": {"c": 1}}, "d": 2}
    with pytest.raises(KeyError, match=r"d\.x"):
        with_values(given, {("d", "x"): 1})
