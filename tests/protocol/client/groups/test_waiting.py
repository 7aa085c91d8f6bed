"""Which wishes wait for what, and which are refused."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from sessionsim.protocol.client.groups.standing import Place
from sessionsim.protocol.client.groups.waiting import GroupWish, Waiting
from sessionsim.protocol.client.outcomes import Outcomes
from sessionsim.protocol.machine import LOG

ID = b"\x03" * 33


class Stands(NamedTuple):
    """As much of a standing as a wish looks at."""

    place: Place
    can_speak: bool = False
    admin: Any = None


MEMBER = Stands(Place.IN, True)
ADMIN = Stands(Place.IN, True, "keys")


def sorted_out(standing: Stands | None, *whats: str) -> tuple[list[str], list[str], list[str]]:
    """What can be done, what cannot, and what still waits."""
    waiting = Waiting()
    for ref, what in enumerate(whats):
        waiting.put(ID, GroupWish(ref, what))
    can, cannot = waiting.sort(ID, standing)
    left, _ = waiting.sort(ID, ADMIN._replace(place=Place.IN))
    return [w.what for w in can], [w.what for w in cannot], [w.what for w in left]


@pytest.mark.parametrize(
    ("standing", "can", "cannot"),
    [
        (None, [], []),
        (Stands(Place.INVITED), ["join"], []),
        (Stands(Place.IN), ["join"], []),  # in, but its keys have not come
        (MEMBER, ["join", "text", "leave"], []),
        (ADMIN, ["join", "text", "rename", "invite", "remove", "promote", "leave"], []),
    ],
    ids=["unknown", "invited", "without keys", "member", "admin"],
)  # fmt: skip
def test_a_wish_waits_until_it_is_possible(
    standing: Stands | None, can: list[str], cannot: list[str]
) -> None:
    whats = ["join", "text", "rename", "invite", "remove", "promote", "leave"]
    found = sorted_out(standing, *whats)
    assert found[0] == can
    assert found[1] == cannot
    assert found[2] == [what for what in whats if what not in can]


@pytest.mark.parametrize("place", [Place.LEFT, Place.KICKED])
def test_who_is_out_can_do_nothing_unless_it_comes_back(place: Place) -> None:
    out = Stands(place)
    assert sorted_out(out, "text", "leave", "rename") == ([], ["text", "leave", "rename"], [])
    assert sorted_out(out, "text", "join", "text") == ([], ["text"], ["join", "text"])


def test_groups_do_not_wait_for_each_other() -> None:
    waiting = Waiting()
    waiting.put(ID, GroupWish(1, "text"))
    waiting.put(b"other", GroupWish(2, "text"))
    assert [wish.ref for wish in waiting.sort(b"other", MEMBER)[0]] == [2]
    assert [wish.ref for wish in waiting.sort(ID, MEMBER)[0]] == [1]
    assert waiting.sort(ID, MEMBER) == ([], [])


def test_every_wish_ends_once() -> None:
    outcomes = Outcomes()
    for ref in (4, 2, 9):
        outcomes.begin(ref)
    assert outcomes.pending() == (4, 2, 9)
    assert outcomes.stored(2, 77) == [(LOG, "stored", 2, 77)]
    assert outcomes.failed(2, "late") == []
    assert outcomes.failed(9, "status 0") == [(LOG, "failed", 9, "status 0")]
    assert outcomes.stored(9, 78) == []
    assert outcomes.stored(-1, 79) == []  # no wish at all
    assert outcomes.pending() == (4,)
