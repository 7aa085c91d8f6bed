"""Words of explanations, and which places stand for a long list."""

from __future__ import annotations

import pytest

from sessionsim.core.sights import Explained, Step, evenly, told

FACT = Explained(
    7, 3, "guard", 1_500_000, "a was there", (Step("row 1: from a", ("At 1.5 s", "  00")), Step("so", ()))
)


def test_an_explanation_names_fact_observer_time_and_every_step() -> None:
    assert told(FACT) == [
        "Fact 7 of seed 3: a was there.",
        "“guard” knows it from 1.500000 s on, for certain, in 2 steps.",
        "",
        "1. Row 1: from a",
        "   At 1.5 s",
        "     00",
        "",
        "2. So",
    ]


def test_one_step_is_one_step() -> None:
    assert told(FACT._replace(steps=FACT.steps[:1]))[1].endswith("in 1 step.")


@pytest.mark.parametrize(("total", "most", "first", "last", "number"), [(3, 5, 0, 2, 3), (99, 5, 0, 98, 5)])
def test_chosen_places_reach_from_end_to_end(
    total: int, most: int, first: int, last: int, number: int
) -> None:
    found = list(evenly(total, most))
    assert (found[0], found[-1], len(set(found))) == (first, last, number)
