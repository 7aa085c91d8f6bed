"""The smallest sets of observers that learn a secret, on a stored run, held against ledgers of all sets."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import join
from sessionsim.core.errors import InvalidInput
from sessionsim.experiment.archive import Archive
from sessionsim.experiment.coalitions import (
    MOST_ROWS,
    affordable,
    minimal_coalitions,
    observers_of,
    roles_of,
    sets_of,
    sets_of_any_size,
)
from sessionsim.experiment.coalitions import ROLES as ALL_ROLES
from sessionsim.experiment.minimal_sets import largest_without
from sessionsim.metrics import known_secrets

ROLES = ("guard", "middle", "last-hop", "swarm-member")


def test_sets_are_those_of_every_ledger_looked_at(tiny_run: Path) -> None:
    archive = Archive(tiny_run / "9")
    secrets = known_secrets(archive.replicate({}, {}))
    known = {}
    for size in (1, 2, 3):
        for members in combinations(ROLES, size):
            place = join([archive.position(name)[0] for name in members])
            known[members] = secrets.of(archive.facts("eve", place))
    expected = set()
    for members, items in known.items():
        for secret, those in items.items():
            parts = [known[part][secret] for part in combinations(members, len(members) - 1) if part]
            alone = those.difference(*parts)
            if alone:
                expected.add((secret, members, len(alone), len(those), secrets.totals[secret]))
    found = minimal_coalitions(tiny_run, ROLES, 3)
    assert {(one.secret, one.members, one.alone, one.known, one.total) for one in found} == expected
    assert found


def test_who_stands_within_another_makes_no_set_with_it(tiny_run: Path) -> None:
    found = minimal_coalitions(tiny_run, ("nodes", "guard"), 2)
    assert found
    assert all(len(one.members) == 1 for one in found)


def test_first_hop_and_swarm_member_together_link_address_and_account(tiny_run: Path) -> None:
    (link,) = [one for one in minimal_coalitions(tiny_run, ROLES, 2) if one.secret == "S6" and one.alone]
    assert link.members == ("guard", "swarm-member")
    assert 0 < link.share <= 1
    assert link.alone == link.known  # neither of them alone links anything
    assert not [one for one in minimal_coalitions(tiny_run, ROLES, 1) if one.secret == "S6"]


def test_more_members_add_sets_and_change_none(tiny_run: Path) -> None:
    assert set(minimal_coalitions(tiny_run, ROLES, 1)) < set(minimal_coalitions(tiny_run, ROLES, 2))


@pytest.mark.parametrize(("names", "largest"), [(ROLES, 0), (("nobody",), 2)])
def test_what_cannot_be_asked_is_refused(tiny_run: Path, names: tuple[str, ...], largest: int) -> None:
    with pytest.raises(InvalidInput):
        minimal_coalitions(tiny_run, names, largest)


def test_sets_agree_with_brute_force_on_any_knowledge_that_grows() -> None:
    """Random rules `these parties together learn this item`, four parties, against the plain definition."""
    names = ("a", "b", "c", "d")
    everyone = [frozenset(some) for size in range(1, 5) for some in combinations(names, size)]
    threes = fours = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rules = [(everyone[rng.integers(len(everyone))], f"item {k % 5}") for k in range(7)]
        totals = {"S": 5, "T": 2}

        def learned(members: tuple[str, ...], rules: Any = rules) -> dict[str, frozenset[str]]:
            items = frozenset(item for needed, item in rules if needed <= set(members))
            return {"S": items, "T": items & {"item 0", "item 1"}}

        expected = {}
        for size in (1, 2, 3, 4):
            for members in combinations(names, size):
                parts = [part for k in range(1, size) for part in combinations(members, k)]
                for secret, items in learned(members).items():
                    alone = {item for item in items if all(item not in learned(p)[secret] for p in parts)}
                    if alone:
                        expected[members, secret] = (len(alone), len(items))
        found = {
            (members, secret): (new, whole)
            for members, secret, new, whole in sets_of(names, totals, learned, lambda _a, _b: False, 4)
            if new
        }
        assert found == expected
        threes += sum(len(members) == 3 for members, _ in found)
        fours += sum(len(members) == 4 for members, _ in found)
    assert threes > 10  # sets of three and four are among what was tried
    assert fours > 2


def test_a_set_is_not_looked_at_once_its_parts_know_everything() -> None:
    asked = []

    def learned(members: tuple[str, ...]) -> dict[str, frozenset[str]]:
        asked.append(members)
        return {"S": frozenset("xy"[: len(members)]) if "b" not in members else frozenset("xy")}

    list(sets_of(("a", "b", "c"), {"S": 2}, learned, lambda _a, _b: False, 3))
    assert asked == [("a",), ("b",), ("c",), ("a", "c")]


def test_a_set_is_not_looked_at_once_its_parts_know_what_all_know_together() -> None:
    """Two of five items are nobody's; of the sets of three and four none has anything left to learn."""
    asked = []

    def learned(members: tuple[str, ...]) -> dict[str, frozenset[str]]:
        asked.append(members)
        return {"S": frozenset("xyz") if {"a", "b"} & set(members) else frozenset("x")}

    names = ("a", "b", "c", "d", "e")
    found = [one for one in sets_of(names, {"S": 5}, learned, lambda _a, _b: False, 4) if one[2]]
    assert {one[0] for one in found} == {(name,) for name in names}
    assert [members for members in asked if len(members) > 2] == [names, ("c", "d", "e")]


def test_who_stands_within_another_is_in_no_set_with_it_or_with_more() -> None:
    asked = []

    def learned(members: tuple[str, ...]) -> dict[str, frozenset[str]]:
        asked.append(members)
        return {"S": frozenset()}

    list(sets_of(("a", "b", "c"), {"S": 2}, learned, lambda one, other: (one, other) == ("b", "a"), 3))
    assert asked == [("a",), ("b",), ("c",), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    ("parties", "rows", "size"),
    [(4, 100, 4), (9, MOST_ROWS // 150, 3), (4, MOST_ROWS // 10, 2), (4, MOST_ROWS, 1), (1, 1, 4)],
)
def test_the_size_of_sets_is_what_the_rows_allow(parties: int, rows: int, size: int) -> None:
    assert affordable(parties, rows) == size


def test_without_names_the_observers_of_the_scenario_are_combined_but_no_coalition_of_them(
    tiny_run: Path,
) -> None:
    archive = Archive(tiny_run / "9")
    assert archive.members == {"both": ("isp", "nodes")}
    assert observers_of(archive) == ("isp", "nodes")
    assert minimal_coalitions(tiny_run) == minimal_coalitions(tiny_run, ("isp", "nodes"))


def test_roles_are_those_that_something_was_recorded_of(tiny_run: Path) -> None:
    assert set(roles_of(Archive(tiny_run / "9"))) >= set(ROLES)
    assert set(roles_of(Archive(tiny_run / "9"))) <= set(ALL_ROLES)


def _rules(seed: int, names: tuple[str, ...]) -> Any:
    """Draw rules `these parties together learn this item`, and give what a set learns."""
    rng = np.random.default_rng(seed)
    everyone = [frozenset(some) for size in range(1, len(names) + 1) for some in combinations(names, size)]
    rules = [(everyone[rng.integers(len(everyone))], f"item {k % 4}") for k in range(9)]
    return lambda members: {
        "S": frozenset(item for some, item in rules if some <= set(members)),
        "T": frozenset(item for some, item in rules[:4] if some <= set(members)),
    }


@pytest.mark.parametrize("seed", range(30))
def test_sets_of_any_size_are_those_of_all_sets(seed: int) -> None:
    names, totals = ("a", "b", "c", "d", "e", "f"), {"S": 4, "T": 4}
    learned, asked = _rules(seed, names), list[tuple[str, ...]]()

    def look(members: tuple[str, ...]) -> Any:
        asked.append(members)
        return learned(members)

    def apart(_one: str, _other: str) -> bool:
        return False

    every = {one for one in sets_of(names, totals, learned, apart, len(names)) if one[2]}
    assert {one for one in sets_of_any_size(names, totals, look, apart) if one[2]} == every
    assert len(asked) == len(set(asked))  # each set once
    assert max(len(members) for members, *_ in every) > 2


def test_sets_of_any_size_need_few_looks() -> None:
    """Of twelve parties, of whom some pairs and one set of five learn something: 4,095 sets."""
    names = tuple("abcdefghijkl")
    asked = []

    def look(members: tuple[str, ...]) -> Any:
        asked.append(members)
        found = {"pair"} if {"a", "b"} <= set(members) or {"c", "d"} <= set(members) else set()
        return {"S": frozenset(found | ({"five"} if set("efghi") <= set(members) else set()))}

    sets = [one for one in sets_of_any_size(names, {"S": 2}, look, lambda _a, _b: False) if one[2]]
    assert [members for members, *_ in sets] == [("a", "b"), ("c", "d"), tuple("efghi")]
    assert len(asked) < 110  # 78 of them of one or two members


def test_who_covers_another_makes_no_set_with_it_of_any_size() -> None:
    def learned(members: tuple[str, ...]) -> Any:
        return {"S": frozenset({"item"} if set("abc") <= set(members) or "x" in members else ())}

    names = ("a", "b", "c", "x")
    found = list(sets_of_any_size(names, {"S": 1}, learned, lambda one, other: (one, other) == ("x", "a")))
    assert {members for members, _, new, _ in found if new} == {("x",), ("a", "b", "c")}


def test_sets_of_a_stored_run_of_any_size(tiny_run: Path) -> None:
    assert minimal_coalitions(tiny_run, ROLES) == minimal_coalitions(tiny_run, ROLES, len(ROLES))


def test_largest_sets_without_some() -> None:
    def without(*sets: str) -> set[str]:
        found = largest_without("abcd", {frozenset(one) for one in sets})
        return {"".join(sorted(one)) for one in found}

    assert without() == {"abcd"}
    assert without("a") == {"bcd"}
    assert without("ab") == {"acd", "bcd"}
    assert without("ab", "cd") == {"ac", "ad", "bc", "bd"}
    assert without("ab", "bc") == {"acd", "bd"}
    assert without("a", "b", "c", "d") == {""}
