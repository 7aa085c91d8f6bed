from __future__ import annotations

import pytest

from sessionsim.core.scene import Position, Role, Taking

GUARD = Position(in_role=frozenset({(1, Role.GUARD)}))
NODE = Position(operated=frozenset({1}))
TAP = Position(tapped=frozenset({1}))
KEYS, DEVICE = (Position(taken=frozenset({Taking(1, 50, stays)})) for stays in (False, True))
LATER = Position(taken=frozenset({Taking(1, 60, False)}))
COPY = Position(taken=frozenset({Taking(1, 50, stays=False, copies=True)}))
LATER_COPY = Position(taken=frozenset({Taking(1, 60, stays=False, copies=True)}))
ASKS, LATER_ASKS = (Position(taken=frozenset({Taking(1, t, False, False, True)})) for t in (50, 60))
KNOWN = Position(known=frozenset({1}))


def test_joining_keeps_everything_and_the_left_clock() -> None:
    joint = Position(clock_offset_us=3) | GUARD | TAP | DEVICE | KNOWN | Position(clock_offset_us=9)
    assert joint == Position(TAP.tapped, frozenset(), 3, GUARD.in_role, DEVICE.taken, KNOWN.known)


def test_entered_are_ends_with_bytes_and_watched_also_those_tapped() -> None:
    assert (GUARD | TAP).entered == {1}
    assert TAP.entered == KEYS.entered == KNOWN.entered == frozenset()
    assert DEVICE.entered == {1}
    assert TAP.watched == {1}
    assert KEYS.watched == frozenset()


def test_acting_in_a_role_includes_running_the_node() -> None:
    assert GUARD.acting_as(Role.GUARD) == NODE.acting_as(Role.GUARD) == {1}
    assert GUARD.acting_as(Role.MEMBER) == frozenset()


@pytest.mark.parametrize(
    ("larger", "smaller"),
    [(NODE, GUARD), (NODE, TAP), (NODE, DEVICE), (NODE, KEYS), (DEVICE, KEYS), (KEYS, LATER), (DEVICE, LATER),
     (NODE, COPY), (DEVICE, COPY), (DEVICE, LATER_COPY), (COPY, KEYS), (COPY, LATER), (LATER_COPY, LATER),
     (ASKS, KEYS), (NODE | KNOWN, KNOWN), (GUARD | TAP, GUARD)],
)  # fmt: skip
def test_covering_goes_one_way(larger: Position, smaller: Position) -> None:
    assert larger.covers(smaller)
    assert larger.covers(larger)
    assert not smaller.covers(larger)


@pytest.mark.parametrize(
    ("one", "other"),
    [(GUARD, TAP), (GUARD, KEYS), (NODE, KNOWN), (TAP, KNOWN),
     (COPY, LATER_COPY), (ASKS, LATER_ASKS), (NODE, ASKS)],
)  # fmt: skip
def test_different_places_cover_each_other_not_at_all(one: Position, other: Position) -> None:
    assert not one.covers(other)
    assert not other.covers(one)
