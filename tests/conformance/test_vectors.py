"""Every group of reference values is used by a test, and says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
HELD = {path: json.loads(path.read_text("utf-8")) for path in sorted((TESTS / "vectors").glob("*.json"))}
# Files with `sections` are run whole by `sessionsim vectors`; others hold `groups` of values, or `scenarios`
# with statistics.
FILES = [path for path, held in HELD.items() if "groups" in held]
STATISTICS = [path for path, held in HELD.items() if "scenarios" in held]
GROUPS = [
    (path.stem, name)
    for path in FILES + STATISTICS
    for name in HELD[path].get("groups") or HELD[path]["scenarios"]
]


def users_of(stem: str) -> list[str]:
    """Give the tests that read a file of vectors."""
    texts = [path.read_text("utf-8") for path in sorted(TESTS.rglob("test_*.py")) if path != Path(__file__)]
    return [text for text in texts if f'"{stem}.json"' in text]


@pytest.mark.parametrize(("stem", "group"), GROUPS, ids=[group for _, group in GROUPS])
def test_every_group_is_used_by_a_test_that_reads_its_file(stem: str, group: str) -> None:
    # A test may name a group with its origin or, where a helper adds that, without.
    names = (f'"{group}"', f'"{group.partition(":")[2]}"')
    assert any(name in text for text in users_of(stem) for name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_says_where_its_groups_come_from(path: Path) -> None:
    held = HELD[path]
    origins = {group.partition(":")[0] for group in held["groups"]}
    assert origins == set(held["origin"])
    assert all(held["origin"].values())


@pytest.mark.parametrize("path", STATISTICS, ids=lambda path: path.stem)
def test_every_file_of_statistics_says_where_they_come_from(path: Path) -> None:
    assert "commit" in HELD[path]["about"]
    assert all(scenario["what"] and scenario["seeds"] for scenario in HELD[path]["scenarios"].values())


def test_every_file_is_of_a_known_form() -> None:
    assert [
        path.name for path, held in HELD.items() if not {"groups", "scenarios", "sections"} & {*held}
    ] == []
