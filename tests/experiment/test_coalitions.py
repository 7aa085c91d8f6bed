"""The smallest sets of observers that learn a secret, on a stored run, held against ledgers of all sets."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from sessionsim.adversary import join
from sessionsim.core.errors import InvalidInput
from sessionsim.experiment.archive import Archive
from sessionsim.experiment.coalitions import minimal_coalitions
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
