"""How many devices an account has, by what their polls say to have; times of signing by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.ledger import Relation

GUARD, REPLICA, OTHER = 0, 8, 9
BASE_MS = 1_777_000_000_000
OLD, NEW, NEWER = (letter * 43 for letter in "abc")


def polls(stage: Any, *said: tuple[int, str], node: int = REPLICA, forged: bool = False) -> None:
    """Poll one replica. Args: said: seconds of signing and the newest hash, in the order of arrival."""
    for second, have in said:
        stage.poll(0, (GUARD, 5, 6, node), have=have, signed_ms=BASE_MS + 1000 * second, forged=forged)


def counted(stage: Any, *nodes: int) -> set[str]:
    return {target for relation, _, target in stage.claims(*nodes) if relation is Relation.HAS_DEVICES}


@pytest.mark.parametrize(
    ("said", "devices"),
    [
        (((1, OLD), (2, OLD), (3, OLD)), set()),  # one device, nothing new
        (((1, OLD), (2, NEW), (3, NEWER)), set()),  # one device that gets on
        (((1, OLD), (3, NEW), (2, OLD), (4, NEW)), set()),  # arrived late, signed in order
        (((1, OLD), (2, NEW), (3, OLD)), {"devices:2"}),  # the old state comes back
        (((1, OLD), (2, NEW), (3, OLD), (4, NEW), (5, NEWER)), {"devices:2"}),
        (((1, OLD), (2, NEW), (3, NEWER), (4, OLD), (5, NEW), (6, NEWER)), {"devices:3"}),
        (((1, OLD), (2, NEW), (3, OLD), (4, NEWER), (5, NEW), (6, NEWER)), {"devices:2"}),
        (((1, OLD), (2, NEW)), set()),  # two devices perhaps, or one
        (((1, OLD), (2, OLD), (2, NEW)), set()),  # the new one came at the time of the last poll
        (((1, OLD), (1, NEW)), set()),  # at one time, which proves nothing
    ],
)
def test_states_that_overlap_are_devices(stage: Any, said: Any, devices: set[str]) -> None:
    polls(stage, *said)
    assert counted(stage, REPLICA) == devices


def test_nodes_are_counted_apart_since_each_has_cursors_of_its_own(stage: Any) -> None:
    polls(stage, (1, OLD), (3, OLD))
    polls(stage, (2, NEW), node=OTHER)
    assert counted(stage, REPLICA, OTHER) == set()


def test_first_polls_without_a_cursor_say_nothing(stage: Any) -> None:
    polls(stage, (1, OLD), (2, ""), (3, OLD))
    assert counted(stage, REPLICA) == set()


def test_only_valid_signatures_count(stage: Any) -> None:
    polls(stage, (1, OLD), (3, OLD))
    polls(stage, (2, NEW), forged=True)
    assert counted(stage, REPLICA) == set()


def test_a_guard_sees_no_cursor(stage: Any) -> None:
    polls(stage, (1, OLD), (2, NEW), (3, OLD))
    assert counted(stage, GUARD, 5, 6) == set()


def test_the_fact_is_known_when_the_state_came_back(stage: Any) -> None:
    polls(stage, (1, OLD), (2, NEW))
    before_us = stage.now_us
    polls(stage, (3, OLD))
    facts = stage.facts([REPLICA])
    (fact,) = [fact for fact in facts if fact.relation is Relation.HAS_DEVICES]
    assert fact.subject == stage.account(0)
    assert before_us < fact.t_us <= stage.now_us
    assert sum("say one last_hash" in step for step in fact.derivation) == 2
